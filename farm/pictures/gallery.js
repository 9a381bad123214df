// Which cards are shown, in which order.

const SHOWN = { state: "all", text: "", class: "", order: "id" };
const NOTHING = "nothing";

// The names of the states, as they are pressed; the kinds of errors are among them.
function statesOf(card) {
  if (card.error) return ["errors", `error ${card.error[0]}`];
  if (card.right === undefined) return [];
  return [card.right ? "right" : "wrong"];
}

// Of a classification the best one counts.
function classesOf(card) {
  const numbers = card.top ? card.top.slice(0, 1) : card.objects || [];
  const classes = new Set(numbers.map(([number]) => `${number}`));
  return classes.size || card.error || card.output !== undefined ? classes : new Set([NOTHING]);
}

function counted(lists) {
  const counts = new Map();
  for (const list of lists) for (const each of list) counts.set(each, (counts.get(each) || 0) + 1);
  return counts;
}

const STATES = CARDS.map(statesOf), CLASSES = CARDS.map(classesOf);
const SCORES = CARDS.map(bestScore);
const LOWER = CARDS.map((card) => titleOf(card).toLowerCase());

function byScore(sign) {
  return (a, b) => {
    const one = SCORES[a], other = SCORES[b];
    if (one === undefined || other === undefined) {
      return (one === undefined) - (other === undefined) || a - b; // without one, last
    }
    return sign * (one - other) || a - b;
  };
}

const ORDERS = {
  id: (a, b) => CARDS[a].id - CARDS[b].id,
  path: (a, b) => COLLATOR.compare(LOWER[a], LOWER[b]) || a - b,
  high: byScore(-1),
  low: byScore(1),
};
const COLLATOR = new Intl.Collator("en", { numeric: true });
const SORTED = {}; // each order once

function chosen() {
  const { state, text, order } = SHOWN;
  SORTED[order] = SORTED[order] || CARDS.map((_, at) => at).sort(ORDERS[order]);
  return SORTED[order].filter((at) =>
    (state === "all" || STATES[at].includes(state)) &&
    (SHOWN.class === "" || CLASSES[at].has(SHOWN.class)) &&
    (text === "" || LOWER[at].includes(text)));
}

function begin() {
  const by = (id) => document.getElementById(id);
  const grid = new Grid(by("grid"), []), viewer = new Viewer(by("viewer"), grid);

  function update() {
    const items = chosen();
    by("count").textContent = items.length === CARDS.length
      ? `${items.length} images` : `${items.length} of ${CARDS.length} images`;
    by("nothing").hidden = items.length > 0;
    for (const button of by("states").children) {
      button.setAttribute("aria-pressed", button.value === SHOWN.state);
    }
    grid.show(items);
  }

  const states = counted(STATES), kinds = [...states.keys()].filter((each) => each.startsWith("error "));
  for (const state of ["all", "right", "wrong", "errors", ...(kinds.length > 1 ? kinds.sort() : [])]) {
    const count = state === "all" ? CARDS.length : states.get(state);
    if (!count) continue;
    const words = { all: "All", right: "\u2713 Right", wrong: "\u2717 Wrong", errors: "\u26a0 Errors" };
    const button = make("button", "", words[state] || state.slice("error ".length), make("b", "", `${count}`));
    button.type = "button";
    button.value = state;
    button.addEventListener("click", () => { SHOWN.state = state; update(); });
    by("states").append(button);
  }
  by("states").hidden = by("states").children.length < 2;

  const classes = [...counted(CLASSES)].sort(([a, many], [b, more]) => more - many || a - b);
  by("class").append(new Option(`all ${classes.length}`, ""));
  for (const [number, count] of classes) {
    by("class").append(new Option(`${number === NOTHING ? "nothing found" : nameOf(number)} (${count})`, number));
  }
  by("class").parentElement.hidden = classes.length === 0;

  for (const [id, event] of [["class", "change"], ["order", "change"], ["text", "input"]]) {
    by(id).addEventListener(event, () => {
      SHOWN[id] = id === "text" ? by(id).value.trim().toLowerCase() : by(id).value;
      update();
    });
  }
  by("filters").addEventListener("submit", (event) => event.preventDefault());
  by("reset").addEventListener("click", () => {
    Object.assign(SHOWN, { state: "all", text: "", class: "" });
    by("filters").reset();
    by("order").value = SHOWN.order;
    update();
    by("text").focus();
  });
  by("grid").addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item) viewer.open(Number(item.dataset.at));
  });
  by("filters").hidden = false;
  paint(by("theme"));
  update();
}

begin();
