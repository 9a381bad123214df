"""The style of a report's page: colours for light and dark, the classes that charts use.

Infer is blue and decode orange, which all kinds of colour blindness tell apart; waiting is grey,
hatched or hollow. What others published is a hollow diamond on dots besides being purple.
"""

from __future__ import annotations

from typing import Final

LIGHT: Final = {
    "page": "#ffffff",
    "card": "#f6f8fa",
    "ink": "#1b1f24",
    "soft": "#57606a",
    "edge": "#c9d1d9",
    "grid": "#e1e6eb",
    "infer": "#1664a8",
    "decode": "#b85c00",
    "queue": "#87909a",
    "published": "#a0267a",
    "warn": "#fff4dc",
    "warn-edge": "#b07d00",
}
DARK: Final = {
    "page": "#0f1419",
    "card": "#182028",
    "ink": "#e6edf3",
    "soft": "#a3adb8",
    "edge": "#3b4654",
    "grid": "#28313b",
    "infer": "#5aaaf2",
    "decode": "#f2a33c",
    "queue": "#77828e",
    "published": "#f28bc8",
    "warn": "#332813",
    "warn-edge": "#d9a53a",
}
RULES: Final = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 44px 0 14px; }
h3 { font-size: 1rem; line-height: 1.35; margin: 0; }
p { margin: 0 0 8px; }
.soft, .note { color: var(--soft); }
.note { font-size: .875rem; margin: 8px 0 0; max-width: 78ch; }
header { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center; }
header p { flex-basis: 100%; margin: 0; color: var(--soft); }
.stamp { background: #ffd33d; color: #1b1f24; font-weight: 700; letter-spacing: .06em;
  padding: 4px 12px; border-radius: 4px; }
.verdict { margin: 24px 0 0; padding: 18px 22px; background: var(--card); border-radius: 8px;
  border-left: 6px solid var(--infer); }
.verdict p { max-width: 72ch; }
.verdict p:first-child { font-size: 1.35rem; line-height: 1.35; font-weight: 600; }
.verdict p::first-letter, header p::first-letter, .caption::first-letter,
figcaption p::first-letter { text-transform: uppercase; }
.verdict p:last-child { margin-bottom: 0; }
.care { margin: 16px 0 0; padding: 14px 22px; background: var(--warn); border-radius: 8px;
  border-left: 6px solid var(--warn-edge); }
.care ul { margin: 4px 0 0; padding-left: 20px; }
.tiles { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; margin: 0; }
@media (min-width: 640px) { .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
@media (min-width: 1080px) { .tiles { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
.tile { background: var(--card); border-radius: 8px; padding: 14px 16px; }
.tile dt, .tile dd { margin: 0; }
.tile dt { font-size: .875rem; color: var(--soft); }
.tile .figure { font-size: 1.65rem; line-height: 1.3; font-weight: 600; }
.tile small { font-size: 1rem; font-weight: 400; color: var(--soft); }
.tile .sub { font-size: .8125rem; line-height: 1.4; color: var(--soft); }
.pair { display: grid; grid-template-columns: minmax(0, 1fr); gap: 32px 40px; align-items: start; }
@media (min-width: 860px) { .pair { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
figure { margin: 0; }
figcaption { margin-bottom: 10px; }
figcaption p { font-size: .875rem; color: var(--soft); margin: 2px 0 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 10px; padding: 0;
  list-style: none; font-size: .875rem; }
.legend li { display: flex; gap: 7px; align-items: center; }
.legend svg { flex: none; overflow: visible; }
.plot { display: block; width: calc(100% - 60px); margin-left: 44px; overflow: visible; }
.plot svg { overflow: visible; }
.plot text { font-size: 12px; fill: var(--soft); }
.plot .axis { fill: var(--ink); }
.plot .strong { fill: var(--ink); font-weight: 600; }
.plot .end { text-anchor: end; }
.plot .middle { text-anchor: middle; }
.plot .halo { fill: var(--ink); stroke: var(--page); stroke-width: 4px; stroke-linejoin: round;
  paint-order: stroke; }
.grid { stroke: var(--grid); }
.tick { stroke: var(--soft); }
.lane { fill: var(--card); }
.limit { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 9 5; }
line.theirs { stroke: var(--published); stroke-width: 1.75; stroke-dasharray: 2 4; }
.mark { stroke: var(--ink); }
.measured .trace { stroke: var(--infer); stroke-width: 2.5; }
.measured .spread { stroke: var(--infer); stroke-width: 1.5; }
.measured circle { fill: var(--infer); stroke: var(--page); stroke-width: 1.5; }
.published .trace { stroke: var(--published); stroke-width: 1.75; stroke-dasharray: 2 4; }
.published path { fill: var(--page); stroke: var(--published); stroke-width: 1.75; }
rect.published { fill: var(--page); stroke: var(--published); stroke-width: 1.75;
  stroke-dasharray: 2 3; }
rect.ceiling { fill: var(--page); stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 9 5; }
.bar, .infer, rect.measured { fill: var(--infer); }
.decode { fill: var(--decode); }
.queue { fill: var(--queue); }
.rest, .plot .rest { fill: var(--page); stroke: var(--soft); stroke-width: 1; }
.wait { fill: url(#hatch); stroke: var(--soft); stroke-width: 1; }
.hatch { stroke: var(--soft); stroke-width: 2.5; }
.plot .bar, .plot g > .infer, .plot g > .decode, .plot .infer > rect, .plot .decode > rect,
.plot .queue { stroke: var(--page); stroke-width: 1; }
.scroll { overflow-x: auto; background:
  linear-gradient(to right, transparent, var(--page) 50%) 100% 0 / 60px 100% no-repeat local,
  linear-gradient(to left, var(--edge), transparent) 100% 0 / 22px 100% no-repeat; }
table { border-collapse: separate; border-spacing: 0; font-size: .9375rem; line-height: 1.4; }
.wide { width: 100%; }
.caption { color: var(--soft); font-size: .875rem; margin-bottom: 4px; }
th, td { padding: 7px 12px; text-align: right; border-bottom: 1px solid var(--grid);
  vertical-align: top; white-space: nowrap; }
th { font-weight: 600; }
thead th { border-bottom: 1px solid var(--soft); vertical-align: bottom; font-size: .875rem;
  white-space: normal; overflow-wrap: normal; }
th:first-child { padding-left: 0; position: sticky; left: 0; background: var(--page); }
th:first-child, .words td, .words th { text-align: left; }
.words td { white-space: normal; min-width: 20ch; }
th small { font-weight: 400; }
td small, th small { display: block; color: var(--soft); font-size: .8125rem; }
tr.chosen > * { background: var(--card); font-weight: 600; }
.unseen { position: absolute; }
.theirs { color: var(--published); }
details { border-top: 1px solid var(--edge); padding: 12px 0; }
details:last-of-type { border-bottom: 1px solid var(--edge); }
summary { cursor: pointer; font-weight: 600; }
summary span { font-weight: 400; color: var(--soft); }
details > .pair, details > figure { margin-top: 18px; }
details > figure { margin-top: 28px; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px;
  margin: 0; font-size: .9375rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
@media (max-width: 520px) {
  main { padding: 20px 16px 40px; }
  .verdict, .care { padding: 14px 16px; }
  .verdict p:first-child { font-size: 1.15rem; }
  .tile { padding: 12px; }
  .tile .figure { font-size: 1.4rem; }
  table { font-size: .8125rem; }
  th, td { padding: 6px 4px; }
  thead th, td small, th small { font-size: .75rem; }
  summary span { display: block; padding-left: 1.1em; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 8px; }
}
@media print { .scroll { overflow: visible; } details { break-inside: avoid; } }
"""


def style() -> str:
    """The whole style sheet."""
    dark = f"@media (prefers-color-scheme: dark) {{ {_variables(DARK)} }}"
    return f":root {{ color-scheme: light dark; }}\n{_variables(LIGHT)}\n{dark}{RULES}"


def _variables(colours: dict[str, str]) -> str:
    return ":root { " + " ".join(f"--{name}: {value};" for name, value in colours.items()) + " }"
