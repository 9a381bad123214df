// One picture, large, with all of its boxes.

// Shows it in `frame`, and its objects in `about`; returns the image, null if there is none.
function showLarge(card, source, frame, about) {
  fit(frame, card.size || [4, 3]);
  let image = null;
  if (source === null) {
    frame.replaceChildren(make("span", "none", "no picture"));
  } else {
    image = make("img");
    image.alt = titleOf(card);
    image.addEventListener("load", () => {
      if (!card.size) fit(frame, [image.naturalWidth, image.naturalHeight]);
    });
    image.src = source;
    frame.replaceChildren(image);
  }
  if (card.objects) showObjects(card, frame, about, source !== null);
  return image;
}

function fit(frame, [width, height]) {
  frame.style.setProperty("--ratio", width / height);
}

function showObjects(card, frame, about, seen) {
  const { svg, tags } = boxes(card, card.objects.length);
  const whole = { left: 0, top: 0, width: 100, height: 100, near: 0.04 };
  if (seen) frame.append(svg, ...tags.map((tag) => tagAt(tag, card.size, whole)));
  const list = make("ol");
  card.objects.forEach(([number, score, ...box], rank) => {
    const place = make("small", "", box.map((side) => Math.round(side)).join(", "));
    const line = make("li", "", nameTag("name", number, nameOf(number)), percent(score), place);
    const group = svg.children[card.objects.length - 1 - rank];
    line.addEventListener("pointerenter", () => group.lastChild.classList.add("strong"));
    line.addEventListener("pointerleave", () => group.lastChild.classList.remove("strong"));
    list.append(line);
  });
  about.append(list);
  if (card.found) about.append(make("span", "words", `the best ${card.objects.length} of ${card.found} objects`));
}
