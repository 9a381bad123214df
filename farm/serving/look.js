// An image of the visitor's own, and the last results.

const MOST_RESULTS = 12, SHAPE = 178 / 130;
const LATER = []; // results that came while somebody pointed at the list
let asked = null; // what can be aborted of the last question
let picture = null; // the URL of the image that is shown

// The answer of the server, which is that of a run, as a card.
function asCard(answer) {
  const card = { id: answer.id, simulated: answer.simulated, size: answer.size };
  if (answer.error) return { ...card, error: [answer.error.kind, answer.error.message] };
  for (const each of [...(answer.top5 || []), ...(answer.objects || [])]) {
    DATA.classes[each.class] = [each.label, ...DATA.palette[each.class % DATA.palette.length]];
  }
  if (answer.top5) return { ...card, top: answer.top5.map((each) => [each.class, each.score]) };
  if (answer.objects) {
    return { ...card, objects: answer.objects.map((each) => [each.class, each.score, ...each.box]) };
  }
  return { ...card, output: JSON.stringify(answer.output, null, 2) };
}

function failure(kind, message) {
  return { error: { kind, message } };
}

// A server that refuses a large body may close before a browser reads why.
async function answerTo(file, signal) {
  if (file.size > DATA.most) {
    return failure("too_large", `it has ${size(file.size / 2 ** 20)}; this service takes up to ${size(DATA.most / 2 ** 20)}`);
  }
  try {
    const response = await fetch(DATA.ask, { method: "POST", body: file, signal });
    return await response.json().catch(() => failure("no_answer", `the server answered with HTTP ${response.status}`));
  } catch {
    return failure("no_answer", "the server cannot be reached");
  }
}

async function ask(file) {
  if (asked) asked.abort();
  const own = asked = new AbortController(), begun = performance.now();
  if (picture) URL.revokeObjectURL(picture);
  picture = URL.createObjectURL(file);
  show({ path: file.name }, picture, make("span", "words", "asking ..."));
  const answer = await answerTo(file, own.signal);
  if (own.signal.aborted) return;
  const card = { ...asCard(answer), path: file.name }, took = Math.round(performance.now() - begun);
  const times = answer.ms ? `${took} ms, ${digits(answer.ms.infer)} ms of them in the network` : `${took} ms`;
  show(card, picture, marks({ ...card, error: undefined }, true), ...answerOf(card), make("span", "words", times));
}

function answerOf(card) {
  return answer(card, true);
}

// A picture with what there is to say of it.
function show(card, source, ...parts) {
  const path = make("bdi", "path", titleOf(card));
  by("look").hidden = false;
  by("about").replaceChildren(path, ...parts);
  const image = showLarge(card, source, by("frame"), by("about"));
  if (image) image.addEventListener("error", () => by("frame").replaceChildren(make("span", "none", "no picture")));
}

// The newest one first. They move while somebody is about to press one: then they wait.
function addResults(cards) {
  LATER.push(...cards);
  const list = by("results");
  if (list.matches(":hover, :focus-within")) return;
  for (const card of LATER.splice(0)) {
    Object.assign(DATA.classes, card.classes);
    const item = cardNode(card, SHAPE);
    item.firstChild.addEventListener("click", () => {
      show(card, thumbOf(card), marks(card, true), ...answerOf(card));
      by("look").scrollIntoView({ block: "nearest" });
      by("look").focus({ preventScroll: true });
    });
    list.prepend(item);
  }
  while (list.children.length > MOST_RESULTS) list.lastChild.remove();
  by("no-results").hidden = list.children.length > 0;
}

function begin() {
  by("results").classList.toggle("bare", !DATA.thumbnails);
  for (const kind of ["pointerleave", "focusout"]) {
    by("results").addEventListener(kind, () => setTimeout(() => addResults([]), 0));
  }
  for (const id of ["file", "camera"]) {
    by(id).addEventListener("change", () => {
      if (by(id).files.length) ask(by(id).files[0]);
      by(id).value = ""; // the same one can be asked again
    });
  }
  // Wherever it falls: a browser would leave the page to show it.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    by("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) by("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    by("drop").classList.remove("over");
    if (event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
  });
  paint(by("theme"));
  new Stream();
}

begin();
