/* The map beside the list: clips in the colours of their classes, chosen with a lasso. */
"use strict";

/* The colour of a class by its place, of a palette whose last colour is that of clips without one. */
function classColour(palette, place) {
  return place < 0 ? palette.at(-1) : palette[place % (palette.length - 1)];
}

class ReviewMap {
  constructor(canvas, desk, { onHover, onPick, onLasso }) {
    this.desk = desk;
    this.scatter = new Scatter(canvas, { onHover, onPick, onLasso, keys: false });
    const places = desk.coordinates.slice();
    const seen = new Uint8Array(desk.names.length);
    for (let clip = 0; clip < seen.length; clip++) {
      seen[clip] = Number.isFinite(places[2 * clip]) ? 1 : 0;
      if (!seen[clip]) places[2 * clip] = places[2 * clip + 1] = 0;
    }
    this.scatter.setPoints(places, 2);
    this.scatter.setVisible(seen);
    this.scatter.fit();
    this.colour();
  }

  /* Give each clip the colour of its label, or a fainter one of what is told of it. */
  colour() {
    const { desk } = this, nothing = desk.palette.at(-1), colours = new Uint8Array(3 * desk.names.length);
    const numbers = new Map(desk.classes.map((name, place) => [name, place]));
    for (let clip = 0; clip < desk.names.length; clip++) {
      const label = desk.labels[clip], told = desk.told(clip);
      const colour = classColour(desk.palette, numbers.get(label ?? told) ?? -1);
      const share = label !== null ? 1 : 0.25 + 0.5 * desk.sureness(clip);
      for (let part = 0; part < 3; part++) colours[3 * clip + part] = colour[part] * share + nothing[part] * (1 - share);
    }
    this.scatter.setColours(colours);
  }

  mark(clip) {
    this.scatter.setMarked(clip);
  }

  choose(clips) {
    const flags = new Uint8Array(this.desk.names.length);
    for (const clip of clips) flags[clip] = 1;
    this.scatter.setChosen(flags);
  }
}
