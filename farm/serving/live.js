// What the server sends: the newest snapshot, drawn each time it comes.

const HISTORY_SECONDS = 120, HISTORY_HEIGHT = 40;
const SILENT_MS = 6000; // a snapshot comes each second
const AGAIN_MS = 3000; // before a stream that was refused is asked for once more
const RATES = []; // [seconds, images per second], the newest one last

function by(id) {
  return document.getElementById(id);
}

function say(id, text) {
  const node = by(id);
  if (node.textContent !== text) node.textContent = text;
}

// About three digits, as in reports.
function digits(value) {
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

// Milliseconds of something that may not have been lately.
function ms(value) {
  return value > 0 ? digits(value) : "-";
}

function share(value) {
  return `${Math.round(value * 100)} %`;
}

function size(mb) {
  return mb >= 1024 ? `${(mb / 1024).toFixed(1)} GB` : `${Math.round(mb)} MB`;
}

function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = units.findIndex(([length]) => seconds >= length);
  if (at < 0) return "0 s";
  const [length, name] = units[at], [small, smaller] = units[at + 1] || [];
  const rest = small ? Math.floor((seconds % length) / small) : 0;
  return `${Math.floor(seconds / length)} ${name}${rest ? ` ${rest} ${smaller}` : ""}`;
}

// Children are made once and changed after: what is selected or read aloud stays.
function children(parent, count, create) {
  while (parent.children.length < count) parent.append(create(parent.children.length));
  while (parent.children.length > count) parent.lastChild.remove();
  return [...parent.children];
}

function rows(id, lines, numbers) {
  const body = by(id).querySelector("tbody");
  children(body, lines.length, () => make("tr")).forEach((row, at) => {
    children(row, lines[at].length, (column) => make("td", numbers.includes(column) ? "number" : ""))
      .forEach((cell, column) => {
        const [text, kind] = [lines[at][column]].flat();
        if (cell.textContent !== text) cell.textContent = text;
        cell.classList.toggle("bad", kind === "bad");
      });
  });
}

function facts(id, pairs) {
  const nodes = children(by(id), pairs.length * 2, (at) => make(at % 2 ? "dd" : "dt"));
  pairs.flat().forEach((text, at) => {
    if (nodes[at].textContent !== text) nodes[at].textContent = text;
  });
}

function drawCards(farm, board) {
  const total = farm.stages.total || { p50: 0, p99: 0 };
  const failed = Object.values(farm.failures).reduce((sum, count) => sum + count, 0);
  const up = farm.workers.filter((worker) => worker.state === "up").length;
  const memory = farm.workers.reduce((sum, worker) => sum + worker.memory_mb, 0);
  const figures = {
    rate: [digits(farm.rate), "over the last 10 s"],
    p50: [ms(total.p50), `p99 ${ms(total.p99)} ms`],
    busy: [`${farm.in_flight}`, `${farm.waiting} waiting`],
    images: [farm.ok.toLocaleString("en"), `${failed.toLocaleString("en")} failed`],
    up: [`${up} of ${farm.workers.length}`, `${farm.losses} lost, ${farm.restarts} restarted`],
    memory: [size(memory), `of ${size(board.memory_mb)}, ${size(board.available_mb)} free`],
  };
  for (const [id, [figure, more]] of Object.entries(figures)) {
    say(id, figure);
    say(`${id}-more`, more);
  }
  by("up").classList.toggle("bad", up < farm.workers.length);
}

function drawLoads(farm) {
  const loads = farm.npu_load || [];
  const items = children(by("npu"), loads.length, (core) => {
    const bar = make("div", "load", make("i"));
    bar.setAttribute("role", "meter");
    bar.setAttribute("aria-label", `NPU core ${core}`);
    bar.setAttribute("aria-valuemin", 0);
    bar.setAttribute("aria-valuemax", 100);
    return make("li", "", make("span", "", `core ${core}`), bar, make("span"));
  });
  items.forEach((item, core) => {
    const [, bar, text] = item.children;
    bar.setAttribute("aria-valuenow", Math.round(loads[core] * 100));
    bar.firstChild.style.width = `${loads[core] * 100}%`;
    text.textContent = share(loads[core]);
  });
  by("no-npu").hidden = farm.no_npu_load === null;
  say("no-npu", farm.no_npu_load || "");
}

function drawHistory(now, rate) {
  RATES.push([now, rate]);
  while (RATES[0][0] < now - HISTORY_SECONDS) RATES.shift();
  const highest = Math.max(...RATES.map(([, each]) => each)), scale = (HISTORY_HEIGHT - 4) / (highest || 1);
  const points = RATES.map(([at, each]) =>
    `${(HISTORY_SECONDS - (now - at)).toFixed(1)},${(HISTORY_HEIGHT - 1 - each * scale).toFixed(1)}`);
  const line = `M${points.join("L")}`, first = points[0].split(",")[0];
  by("history").querySelector(".line").setAttribute("d", line);
  by("history").querySelector(".area")
    .setAttribute("d", `${line}V${HISTORY_HEIGHT}H${first}Z`);
  say("highest", digits(highest));
}

function drawWorkers(farm) {
  rows("workers", farm.workers.map((worker) => [
    `${worker.index}`,
    [worker.state, worker.state === "up" ? "" : "bad"],
    worker.npu_core === null ? "" : `${worker.npu_core}`,
    ranges(worker.cpus),
    worker.images.toLocaleString("en"),
    `${worker.in_flight}`,
    ...["decode", "infer"].map((stage) => (stage in worker.ms ? digits(worker.ms[stage]) : "")),
    worker.memory_mb ? size(worker.memory_mb) : "",
    `${worker.losses}`,
    worker.pid === null ? "" : `${worker.pid}`,
  ]), [4, 5, 6, 7, 8, 9, 10]);
}

// CPUs as 0-3,6.
function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found[found.length - 1];
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

function drawTroubles(farm) {
  const failures = Object.entries(farm.failures).sort(([, few], [, many]) => many - few);
  facts("failures", failures.map(([kind, count]) => [kind, count.toLocaleString("en")]));
  by("no-failures").hidden = failures.length > 0;
  const told = [...farm.warnings].reverse();
  children(by("warnings"), told.length, () => make("li", "", make("time"), make("span")))
    .forEach((item, at) => {
      const when = new Date(told[at].at * 1000);
      item.firstChild.dateTime = when.toISOString();
      item.firstChild.textContent = when.toLocaleTimeString([], { hour12: false });
      item.lastChild.textContent = told[at].message;
    });
  by("no-warnings").hidden = told.length > 0;
}

function drawBoard(board) {
  const cpus = Object.values(board.cpu_load);
  const mean = cpus.reduce((sum, load) => sum + load, 0) / cpus.length;
  facts("board", [
    ...(board.soc ? [["SoC", board.soc]] : []),
    ...(cpus.length ? [["CPUs", `${share(mean)} of ${cpus.length}`]] : []),
    ...Object.entries(board.temperatures).map(([zone, celsius]) => [zone, `${celsius.toFixed(1)} \u00b0C`]),
    ...board.clocks.map((clock) => [clock.name,
      `${clock.mhz} MHz${clock.highest_mhz ? ` of ${clock.highest_mhz}` : ""}${clock.governor ? `, ${clock.governor}` : ""}`]),
  ]);
}

function draw({ at, farm, board }) {
  const model = farm.model === null ? "no model" : farm.model.split("/").pop();
  document.title = `${farm.simulated ? "SIMULATED: " : ""}${model}, ${digits(farm.rate)} images per second`;
  by("simulated").hidden = by("make-believe").hidden = !farm.simulated;
  say("what", `${DATA.name}: ${model}, ${farm.task}, ${farm.platform}, ${farm.runtime}; up for ${duration(at - farm.started)}`);
  drawCards(farm, board);
  drawLoads(farm);
  drawHistory(at, farm.rate);
  rows("latency", Object.entries(farm.stages).map(([name, stage]) =>
    [name, ms(stage.p50), ms(stage.p90), ms(stage.p99)]), []);
  drawWorkers(farm);
  drawTroubles(farm);
  drawBoard(board);
}

// One stream of events; while nobody looks at the page, none.
class Stream {
  constructor() {
    this.source = null;
    this.heard = 0; // when the last snapshot came
    this.life = null; // what the server last said of itself
    this.opened = false; // whether this stream was, since the last error
    this.why = ""; // it was refused
    document.addEventListener("visibilitychange", () => this.follow());
    setInterval(() => this.look(), 1000);
    this.follow();
  }

  follow() {
    if (document.hidden) this.close();
    else if (this.source === null) this.open();
  }

  open() {
    this.source = new EventSource("events");
    this.source.addEventListener("open", () => {
      this.opened = true;
      this.why = "";
    });
    this.source.addEventListener("snapshot", (event) => {
      const { life, snapshot } = JSON.parse(event.data);
      this.life = life;
      if (snapshot !== null && snapshot.farm !== null) {
        this.heard = Date.now();
        draw(snapshot);
      }
      this.look();
    });
    this.source.addEventListener("results", (event) => addResults(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.lost());
  }

  close() {
    if (this.source !== null) this.source.close();
    this.source = null;
  }

  // A browser asks again by itself, unless it was refused. A service that is ending has ended the
  // stream, and is still there.
  lost() {
    if (!this.opened || this.life !== "draining") this.life = null;
    this.opened = false;
    this.look();
    if (this.source === null || this.source.readyState !== EventSource.CLOSED) return;
    this.close();
    setTimeout(() => this.again(), AGAIN_MS);
  }

  // The browser tells no script why a stream was refused: it is asked for in another way.
  async again() {
    const asked = new AbortController();
    try {
      const answer = await fetch("events", { signal: asked.signal, cache: "no-store" });
      if (!answer.ok) this.why = (await answer.json()).error.message;
    } catch {
      this.why = ""; // nobody is there, or another server
    }
    asked.abort();
    this.follow();
  }

  look() {
    const silent = Date.now() - this.heard;
    const [text, kind] =
      this.why ? [this.why, "bad"]
      : this.life === null ? [this.heard ? "no connection, trying again" : "connecting", "bad"]
      : this.life === "draining" ? ["the farm is ending", "bad"]
      : this.life === "lost" ? ["no worker is up", "bad"]
      : this.heard === 0 ? ["waiting for the first figures", "bad"]
      : silent > SILENT_MS ? [`nothing new for ${duration(silent / 1000)}`, "bad"]
      : ["live", "good"];
    say("state", text);
    by("state").className = kind;
    by("figures").classList.toggle("old", this.heard > 0 && silent > SILENT_MS);
  }
}
