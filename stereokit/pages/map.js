/* A map of clips: the points, what they are called, and which labels are shown. Needs scatter.js before it. */
"use strict";

class MapPage {
  static #MATCHES = 50; // names that a search lists
  static #UNSEEN_MATCHES = 2000; // the same where there is no picture
  static #NO_LABEL = 0xffff;

  constructor(data) {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    this.names = data.names;
    this.lowered = null;
    this.classes = data.classes;
    this.colours = data.colours;
    this.dimensions = data.dimensions;
    this.coordinates = new Float32Array(bytes(data.coordinates).buffer);
    this.labels = new Uint16Array(bytes(data.labels).buffer);
    this.isShown = data.classes.map(() => true);
    this.picked = -1;
    this.part = (id) => document.getElementById(id);
    this.#legend();
    this.#listen();
    if (Scatter.isSupported()) this.#draw();
    else this.#tell();
  }

  #draw() {
    const canvas = this.part("map");
    this.scatter = new Scatter(canvas, {
      onHover: (index) => this.#tip(index),
      onPick: (index) => this.pick(index),
    });
    this.scatter.setPoints(this.coordinates, this.dimensions);
    const colours = new Uint8Array(3 * this.names.length);
    for (let clip = 0; clip < this.names.length; clip += 1) colours.set(this.colours[this.#group(clip)], 3 * clip);
    this.scatter.setColours(colours);
  }

  /* Without a picture the clips are listed. */
  #tell() {
    document.body.classList.add("unseen");
    this.part("notice").hidden = false;
    this.#find();
  }

  /* The number of a clip's label in the legend, of which the last is that of clips without one. */
  #group(clip) {
    return this.labels[clip] === MapPage.#NO_LABEL ? this.classes.length - 1 : this.labels[clip];
  }

  #said(clip) {
    return `${this.names[clip]}: ${this.classes[this.#group(clip)]}`;
  }

  #legend() {
    const counts = this.classes.map(() => 0);
    for (let clip = 0; clip < this.names.length; clip += 1) counts[this.#group(clip)] += 1;
    this.boxes = this.classes.map((name, number) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      box.addEventListener("change", () => this.#show(number, box.checked));
      const dot = document.createElement("span");
      dot.className = "dot";
      dot.style.backgroundColor = `rgb(${this.colours[number].join(" ")})`;
      const [called, count] = ["name", "count"].map((kind) => {
        const span = document.createElement("span");
        span.className = kind;
        return span;
      });
      called.textContent = name;
      count.textContent = counts[number].toLocaleString("en");
      label.append(box, dot, called, count);
      label.hidden = counts[number] === 0;
      this.part("classes").append(label);
      return box;
    });
  }

  #listen() {
    this.part("nearer").addEventListener("click", () => this.scatter?.zoom(1.5));
    this.part("farther").addEventListener("click", () => this.scatter?.zoom(1 / 1.5));
    this.part("all").addEventListener("click", () => this.scatter?.fit());
    this.part("every").addEventListener("click", () => this.#showAll(true));
    this.part("none").addEventListener("click", () => this.#showAll(false));
    this.part("words").addEventListener("input", () => this.#find());
    this.part("find").addEventListener("submit", (event) => {
      event.preventDefault();
      this.part("matches").querySelector("button")?.click();
    });
  }

  #showAll(isShown) {
    this.boxes.forEach((box) => (box.checked = isShown));
    this.isShown.fill(isShown);
    this.#showThese();
  }

  #show(number, isShown) {
    this.isShown[number] = isShown;
    this.#showThese();
  }

  #showThese() {
    const flags = new Uint8Array(this.names.length);
    for (let clip = 0; clip < flags.length; clip += 1) flags[clip] = this.isShown[this.#group(clip)] ? 1 : 0;
    this.scatter?.setVisible(flags);
  }

  #find() {
    const most = this.scatter ? MapPage.#MATCHES : MapPage.#UNSEEN_MATCHES;
    const words = this.part("words").value.trim().toLowerCase();
    this.lowered ??= this.names.map((name) => name.toLowerCase());
    const list = this.part("matches");
    list.textContent = "";
    this.part("found").textContent = "";
    if (!words && this.scatter) return;
    const matches = [];
    let count = 0;
    for (let clip = 0; clip < this.names.length; clip += 1) {
      if (!this.lowered[clip].includes(words)) continue;
      count += 1;
      if (matches.length < most) matches.push(clip);
    }
    const shown = count > most ? `, the first ${most} of them here` : "";
    this.part("found").textContent = `${count.toLocaleString("en")} ${count === 1 ? "clip" : "clips"}${shown}`;
    for (const clip of matches) {
      const row = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = this.#said(clip);
      button.addEventListener("click", () => {
        this.scatter?.focusOn(clip);
        this.pick(clip);
      });
      row.append(button);
      list.append(row);
    }
  }

  /* Mark a clip and say what it is. */
  pick(clip) {
    this.picked = clip;
    this.scatter?.setMarked(clip);
    this.part("picked").textContent = this.#said(clip);
  }

  #tip(clip) {
    const tip = this.part("tip");
    tip.hidden = clip < 0;
    if (clip < 0) return;
    tip.textContent = this.#said(clip);
    const [x, y] = this.scatter.placeOf(clip);
    const left = Math.min(Math.max(x + 12, 4), this.scatter.width - tip.offsetWidth - 4);
    const top = y > tip.offsetHeight + 16 ? y - tip.offsetHeight - 10 : y + 14;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

window.mapPage = new MapPage(JSON.parse(document.getElementById("data").textContent));
