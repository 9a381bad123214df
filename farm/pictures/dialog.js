// One picture, large: arrows lead to the next one.

class Viewer {
  constructor(dialog, grid) {
    this.dialog = dialog;
    this.grid = grid;
    this.at = 0;
    for (const [id, step] of [["before", -1], ["after", 1]]) {
      document.getElementById(id).addEventListener("click", () => this.show(this.at + step));
    }
    document.getElementById("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("close", () => this.grid.focus(this.at));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // beside it
    });
  }

  open(at) {
    this.dialog.showModal();
    this.show(at);
    this.focus();
  }

  focus() {
    ["after", "before", "close"].map((id) => document.getElementById(id)).find((each) => !each.disabled).focus();
  }

  key(event) {
    const to = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0,
      End: this.grid.items.length - 1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.show(to);
  }

  show(at) {
    const count = this.grid.items.length;
    if (at < 0 || at >= count) return;
    this.at = at;
    const card = CARDS[this.grid.items[at]];
    document.getElementById("place").textContent = `${at + 1} of ${count}`;
    document.getElementById("before").disabled = at === 0;
    document.getElementById("after").disabled = at === count - 1;
    if (document.activeElement.disabled) this.focus(); // without it, no key would come here
    const folders = titleOf(card).split(/(?<=\/)/);
    const path = make("bdi", "path", ...folders.flatMap((part) => [part, make("wbr")]));
    path.id = "viewer-path";
    const about = document.getElementById("about");
    about.replaceChildren(path, marks(card, true), ...answer(card, true));
    this.picture(card, about);
    about.scrollTop = 0;
  }

  picture(card, about) {
    const image = showLarge(card, thumbOf(card), document.getElementById("frame"), about);
    // The picture itself, where it is still beside the page: sharper. Else, or if boxes are not
    // for what is there now, the small one stays.
    if (image === null || !card.file || location.protocol !== "file:") return;
    const whole = new Image();
    whole.addEventListener("load", () => {
      const [width, height] = card.size || [whole.naturalWidth, whole.naturalHeight];
      if (whole.naturalWidth === width && whole.naturalHeight === height) image.src = whole.src;
    });
    whole.src = card.file;
  }
}
