/* A list of any length: only the rows that are seen exist. */
"use strict";

class ClipList {
  static #HEIGHT = 28; // as in review.css

  constructor(frame, rows, { text, onSelect }) {
    this.frame = frame;
    this.rows = rows;
    this.text = text; // (clip) => { name, label, told, colour }
    this.onSelect = onSelect;
    this.clips = [];
    this.selected = -1;
    frame.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(frame);
  }

  show(clips) {
    this.clips = clips;
    this.draw();
  }

  select(clip) {
    this.selected = clip;
    const place = this.clips.indexOf(clip);
    if (place >= 0) {
      const top = place * ClipList.#HEIGHT, { scrollTop, clientHeight } = this.frame;
      if (top < scrollTop) this.frame.scrollTop = top;
      else if (top + ClipList.#HEIGHT > scrollTop + clientHeight) this.frame.scrollTop = top + ClipList.#HEIGHT - clientHeight;
    }
    this.draw();
  }

  /* Return the clip so many rows further; the first or last one where the list ends. */
  beside(steps) {
    const place = this.clips.indexOf(this.selected);
    const wanted = place < 0 ? 0 : Math.min(this.clips.length - 1, Math.max(0, place + steps));
    return this.clips[wanted] ?? -1;
  }

  draw() {
    const height = ClipList.#HEIGHT;
    const first = Math.max(0, Math.floor(this.frame.scrollTop / height) - 5);
    const end = Math.min(this.clips.length, Math.ceil((this.frame.scrollTop + this.frame.clientHeight) / height) + 5);
    this.rows.style.height = `${this.clips.length * height}px`;
    const shown = [];
    for (let place = first; place < end; place++) shown.push(this.#row(this.clips[place], place));
    this.rows.replaceChildren(...shown);
    this.frame.setAttribute("aria-activedescendant", this.selected < 0 ? "" : `clip-${this.selected}`);
  }

  #row(clip, place) {
    const { name, label, told, colour } = this.text(clip);
    const row = document.createElement("div");
    row.className = "row";
    row.id = `clip-${clip}`;
    row.style.top = `${place * ClipList.#HEIGHT}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(clip === this.selected));
    row.setAttribute("aria-setsize", String(this.clips.length));
    row.setAttribute("aria-posinset", String(place + 1));
    const title = document.createElement("span");
    title.className = "name";
    title.textContent = name;
    const verdict = document.createElement("span");
    verdict.className = label === null ? "label told" : "label";
    const dot = document.createElement("span");
    dot.className = "dot";
    dot.style.background = colour;
    verdict.append(dot, label ?? told);
    row.append(title, verdict);
    row.addEventListener("click", () => this.onSelect(clip));
    return row;
  }
}
