// Only the cards in view are there, however many there are; a scroll bar as if all were.

const CARDS = JSON.parse(document.getElementById("cards").textContent);
const GAP = 14, NARROW = 520, AHEAD = 2; // rows that are drawn before they are seen

class Grid {
  constructor(list, items) {
    this.list = list;
    this.items = items; // numbers of cards, in their order
    this.first = this.end = 0; // which of them are drawn
    this.asked = false;
    window.addEventListener("scroll", () => this.ask(), { passive: true });
    new ResizeObserver(() => this.ask(true)).observe(list);
    window.addEventListener("resize", () => this.ask(true));
  }

  show(items) {
    this.items = items;
    this.clear();
    this.measure();
    const above = this.covered() - this.list.getBoundingClientRect().top;
    if (above > 0) window.scrollBy(0, -above);
    this.draw();
  }

  // How much of the window the filters cover, where they stay in view.
  covered() {
    const filters = document.getElementById("filters");
    return getComputedStyle(filters).position === "sticky" ? filters.offsetHeight : 0;
  }

  clear() {
    this.list.replaceChildren();
    this.first = this.end = 0;
  }

  ask(resized = false) {
    this.resized = this.resized || resized;
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.resized && this.list.clientWidth !== this.width) {
        this.clear();
        this.measure();
      }
      this.resized = false;
      this.draw();
    });
  }

  measure() {
    const width = (this.width = this.list.clientWidth);
    const narrow = width < NARROW;
    this.columns = narrow ? 1 : Math.floor((width + GAP) / (212 + GAP));
    this.wide = (width - GAP * (this.columns - 1)) / this.columns;
    const picture = narrow ? 158 : Math.round(this.wide * 0.75);
    this.high = narrow ? picture : picture + 150;
    this.shape = narrow ? (this.wide * 0.42) / this.high : this.wide / picture;
    this.list.style.setProperty("--picture", `${picture}px`);
    const rows = Math.ceil(this.items.length / this.columns);
    this.list.style.height = `${Math.max(0, rows * (this.high + GAP) - GAP)}px`;
  }

  draw() {
    const above = -this.list.getBoundingClientRect().top, row = this.high + GAP;
    const from = Math.max(0, Math.floor(above / row) - AHEAD) * this.columns;
    const to = Math.max(0, Math.ceil((above + window.innerHeight) / row) + AHEAD) * this.columns;
    const end = Math.min(this.items.length, to), first = Math.min(from, end);
    if (first >= this.end || end <= this.first) {
      this.clear();
      this.first = this.end = first;
    }
    for (; this.first < first; this.first++) this.list.firstElementChild.remove();
    for (; this.end > end; this.end--) this.list.lastElementChild.remove();
    while (this.first > first) this.list.prepend(this.node(--this.first));
    while (this.end < end) this.list.append(this.node(this.end++));
  }

  node(at) {
    const made = cardNode(CARDS[this.items[at]], this.shape), row = Math.floor(at / this.columns);
    made.dataset.at = at;
    made.setAttribute("aria-setsize", this.items.length);
    made.setAttribute("aria-posinset", at + 1);
    made.style.left = `${(at % this.columns) * (this.wide + GAP)}px`;
    made.style.top = `${row * (this.high + GAP)}px`;
    made.style.width = `${this.wide}px`;
    made.style.height = `${this.high}px`;
    return made;
  }

  // Bring a card into view and give it the focus.
  focus(at) {
    const top = Math.floor(at / this.columns) * (this.high + GAP);
    const seen = this.list.getBoundingClientRect().top + top;
    if (seen < this.covered() || seen + this.high > window.innerHeight) {
      window.scrollBy(0, seen - (window.innerHeight - this.high) / 2);
      this.draw();
    }
    const node = this.list.querySelector(`[data-at="${at}"] button`);
    if (node) node.focus({ preventScroll: true });
  }
}
