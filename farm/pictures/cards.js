"use strict";
// What is shown of a result. Texts become text nodes, never HTML.

const DATA = JSON.parse(document.getElementById("data").textContent);
const MOST_BOXES = 30; // on a small picture
const SVG = "http://www.w3.org/2000/svg";

function make(tag, kind, ...parts) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...parts);
  return made;
}

function percent(score) {
  return `${(score * 100).toFixed(1)} %`;
}

// The first of the names that a label has, as "tench, Tinca tinca".
function firstOf(label) {
  return label.split(",")[0];
}

function nameOf(number) {
  const label = DATA.classes[number][0];
  return label === null ? `class ${number}` : firstOf(label);
}

function titleOf(card) {
  return card.path === undefined ? `item ${card.id}` : card.path;
}

function bestScore(card) {
  const best = (card.top || card.objects || [])[0];
  return best === undefined ? undefined : best[1];
}

function thumbOf(card) {
  if (card.thumb === null) return null;
  return DATA.folder === null ? `data:image/jpeg;base64,${card.thumb}` : `${DATA.folder}/${card.thumb}`;
}

function nameTag(kind, number, text) {
  const made = make("span", kind, text);
  [, made.style.backgroundColor, made.style.color] = DATA.classes[number];
  return made;
}

function marks(card, full) {
  const made = make("span", "marks");
  if (card.simulated) made.append(make("span", "mark simulated", "simulated"));
  if (card.error) made.append(make("span", "mark wrong", "\u26a0 error"));
  if (card.right === true) made.append(make("span", "mark right", "\u2713 right"));
  if (card.right === false) {
    made.append(make("span", "mark wrong", `\u2717 should be ${full ? card.truth : firstOf(card.truth)}`));
  }
  return made;
}

function bars(card, full) {
  return card.top.map(([number, score]) => {
    const fill = make("i");
    fill.style.width = `${Math.min(100, Math.max(0, score * 100))}%`;
    const label = DATA.classes[number][0];
    const name = make("span", "", full && label !== null ? label : nameOf(number));
    return make("span", "bar", fill, name, make("span", "", percent(score)));
  });
}

// Each class once, with its best score and how often it is there.
function found(card) {
  const classes = new Map();
  for (const [number, score] of card.objects) {
    const seen = classes.get(number) || { score, count: 0 };
    classes.set(number, { score: seen.score, count: seen.count + 1 });
  }
  const made = make("span", "found");
  for (const [number, { score, count }] of classes) {
    const times = count > 1 ? ` \u00d7${count}` : "";
    made.append(nameTag("name", number, `${nameOf(number)} ${percent(score)}${times}`));
  }
  return made;
}

function answer(card, full) {
  if (card.error) return [make("span", "failed", card.error[0]), make("span", "words", card.error[1])];
  if (card.top) return card.top.length ? bars(card, full) : [make("span", "words", "no class")];
  if (card.objects && !card.objects.length) return [make("span", "words", "nothing found")];
  if (card.objects) return full ? [] : [found(card)];
  return [make("pre", "own", card.output)];
}

// Boxes over a picture: in its pixels, so they fit it at any size; names in per cent of it. Under a
// line lies a wider one, black or white: a box is seen on its own colour.
function boxes(card, most) {
  const [width, height] = card.size;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "boxes");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  const tags = [];
  card.objects.slice(0, most).reverse().forEach(([number, score, left, top, right, bottom]) => {
    const group = document.createElementNS(SVG, "g");
    for (const kind of ["under", "box"]) {
      const rect = document.createElementNS(SVG, "rect");
      const sides = { x: left, y: top, width: right - left, height: bottom - top };
      for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
      rect.setAttribute("class", kind);
      rect.setAttribute("stroke", DATA.classes[number][kind === "box" ? 1 : 2]);
      group.append(rect);
    }
    svg.append(group);
    tags.push({ number, text: `${nameOf(number)} ${Math.round(score * 100)} %`, left, top, right });
  });
  return { svg, tags };
}

// A name at its box: above it or, at the picture's upper edge, inside; at the right edge leftward.
function tagAt({ number, text, left, top, right }, [width, height], shape) {
  const inside = top < height * shape.near, leftward = left > width * 0.7;
  const kind = `tag${inside ? " inside" : ""}${leftward ? " leftward" : ""}`;
  const made = nameTag(kind, number, text);
  const x = shape.left + ((leftward ? right : left) / width) * shape.width;
  made.style.left = `${x}%`;
  made.style.maxWidth = `${leftward ? x : 100 - x}%`; // inside, however long
  made.style.top = `${shape.top + (top / height) * shape.height}%`;
  return made;
}

function cardNode(card, shape) {
  const picture = make("span", "picture"), source = thumbOf(card);
  if (source === null) {
    picture.append(make("span", "none", "no picture"));
  } else {
    const image = make("img");
    image.alt = "";
    image.decoding = "async";
    image.src = source;
    picture.append(image);
  }
  if (card.objects && source !== null) {
    const { svg, tags } = boxes(card, MOST_BOXES);
    picture.append(svg, ...tags.map((tag) => tagAt(tag, card.size, contained(card.size, shape))));
  }
  picture.append(marks(card, false));
  const path = make("bdi", "path", titleOf(card).split("/").pop());
  path.title = titleOf(card);
  const button = make("button", "shot", picture, make("span", "text", path, ...answer(card, false)));
  button.type = "button";
  return make("li", "", button);
}

// Where a picture of this size is in a field of this shape (width / height), in per cent of it.
function contained([width, height], shape) {
  const part = width / height / shape;
  const wide = Math.min(1, part) * 100, high = Math.min(1, 1 / part) * 100;
  return { left: (100 - wide) / 2, top: (100 - high) / 2, width: wide, height: high, near: 0.12 };
}
