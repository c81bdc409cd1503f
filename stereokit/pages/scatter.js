/* Points of a plane or a room on a canvas: pan, zoom, turn, find what is under the pointer, draw a lasso.
 *
 * A classic script that defines one class and needs nothing else. All points are one draw call; a frame is drawn
 * only when something has changed; what lies under the pointer is looked up in a grid, never read from pixels. Where
 * a frame takes long, as without a graphics card, a fair sample of the points is drawn while the view moves, and all
 * of them as soon as it rests.
 * The colours of the ground and of rings are the canvas's own `background-color` and `color`.
 */
"use strict";

class Scatter {
  static #VERTEX = `
    attribute vec3 place;
    attribute vec4 look;
    uniform mat3 turn;
    uniform vec3 centre;
    uniform vec2 scale;
    uniform float size, depth;
    varying vec4 colour;
    void main() {
      vec3 seen = turn * (place - centre);
      float isChosen = step(0.75, look.a);
      float far = clamp(0.5 - seen.z * depth, 0.0, 1.0);
      gl_Position = look.a < 0.25 ? vec4(2.0, 2.0, 2.0, 1.0)
        : vec4(seen.xy * scale, (far - isChosen) * 0.9, 1.0);
      gl_PointSize = size * (1.0 + 0.6 * isChosen) * (depth > 0.0 ? 1.25 - 0.5 * far : 1.0);
      colour = vec4(look.rgb, isChosen > 0.5 ? 2.0 : depth > 0.0 ? 1.0 - 0.5 * far : 1.0);
    }`;

  static #FRAGMENT = `
    precision mediump float;
    uniform vec3 ground, ink;
    uniform float isRing;
    varying vec4 colour;
    void main() {
      vec2 away = gl_PointCoord * 2.0 - 1.0;
      float square = dot(away, away);
      if (square > 1.0 || (isRing > 0.5 && square < 0.5)) discard;
      bool isEdge = isRing > 0.5 || (colour.a > 1.5 && square > 0.45);
      gl_FragColor = vec4(isEdge ? ink : mix(ground, colour.rgb, min(colour.a, 1.0)), 1.0);
    }`;

  static #LINE_VERTEX = "attribute vec2 place; void main() { gl_Position = vec4(place, 0.0, 1.0); }";
  static #LINE_FRAGMENT = "precision mediump float; uniform vec3 ink; void main() { gl_FragColor = vec4(ink, 1.0); }";

  static #REACH = 14; // pixels within which a point is under the pointer; a finger has twice as many
  static #CELL = 16; // pixels a side of the grid's cells
  static #CLICK = 5; // pixels that a pointer may move between down and up and still click
  static #FRAMES = 240;
  static #CLOSEST = 2000; // times the size at which all points are seen
  static #REST_MS = 150; // without movement, after which the view rests
  static #SLOW_MS = 20; // of a frame, above which fewer points are drawn while the view moves
  static #FEWEST = 1500; // points that are always drawn

  /* Tell whether this browser can draw. */
  static isSupported() {
    try {
      const context = document.createElement("canvas").getContext("webgl");
      context?.getExtension("WEBGL_lose_context")?.loseContext();
      return context !== null;
    } catch {
      return false;
    }
  }

  /* `onHover(index)` is called with -1 when no point is under the pointer any more; `onPick(index, event)` for a
   * click on a point; `onLasso(indices)` with an Int32Array of the visible points in a closed lasso. With `keys`
   * (true) the arrows, +, - and 0 move the view while the canvas has the focus. */
  constructor(canvas, { onHover = () => {}, onPick = () => {}, onLasso = () => {}, keys = true } = {}) {
    this.canvas = canvas;
    this.onHover = onHover;
    this.onPick = onPick;
    this.onLasso = onLasso;
    this.lassoMode = false;
    this.frameTimes = [];
    this.count = 0;
    this.dimensions = 2;
    this.coordinates = new Float32Array(0);
    this.looks = new Uint8Array(0);
    this.order = new Int32Array(0);
    this.sample = 0;
    this.lastMove = -Infinity;
    this.visible = new Uint8Array(0);
    this.chosen = new Uint8Array(0);
    this.marked = -1;
    this.hovered = -1;
    this.lasso = null;
    this.pointers = new Map();
    this.grid = null;
    this.pending = 0;
    this.centre = [0, 0, 0];
    this.scale = 1;
    this.turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    this.middle = [0, 0, 0];
    this.radius = 1;
    this.context = canvas.getContext("webgl", { alpha: false, antialias: false, depth: true, stencil: false });
    if (!this.context) throw new Error("this browser has no WebGL");
    this.#setUp();
    this.#resize();
    this.#listen(keys);
  }

  /* Take the places of all points: x, y or x, y, z one after another. The view then shows them all. */
  setPoints(coordinates, dimensions) {
    this.dimensions = dimensions;
    this.coordinates = coordinates;
    this.count = Math.floor(coordinates.length / dimensions);
    this.looks = new Uint8Array(4 * this.count).fill(128);
    this.visible = new Uint8Array(this.count).fill(1);
    this.chosen = new Uint8Array(this.count);
    this.marked = this.hovered = -1;
    this.sample = this.count;
    this.#shuffle();
    this.#measure();
    this.#upload();
    this.fit();
  }

  /* Take a colour a point: red, green, blue. */
  setColours(colours) {
    for (let point = 0; point < this.count; point += 1) {
      this.looks[4 * point] = colours[3 * point];
      this.looks[4 * point + 1] = colours[3 * point + 1];
      this.looks[4 * point + 2] = colours[3 * point + 2];
    }
    this.#show();
  }

  /* Take which points are drawn, found and caught. */
  setVisible(flags) {
    this.visible.set(flags.subarray(0, this.count));
    this.#show();
  }

  /* Put a ring around one point; -1 for none. */
  setMarked(index) {
    this.marked = index;
    this.draw();
  }

  /* Take which points are highlighted. */
  setChosen(flags) {
    this.chosen.set(flags.subarray(0, this.count));
    this.#show();
  }

  /* Bring one point to the middle, near enough to be told from its neighbours. */
  focusOn(index) {
    if (index < 0 || index >= this.count) return;
    this.centre = this.#place(index);
    this.scale = Math.max(this.scale, 4 * this.fitScale);
    this.#moved();
  }

  /* Show all points. */
  fit() {
    this.centre = [...this.middle];
    this.turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    this.scale = this.fitScale;
    this.#moved();
  }

  /* Draw at the next frame. */
  draw() {
    if (!this.pending) this.pending = requestAnimationFrame((now) => this.#frame(now));
  }

  /* Where a point is on the canvas, in CSS pixels. */
  placeOf(index) {
    const [x, y, z] = this.#place(index);
    return this.#seen(x, y, z);
  }

  /* Move the view by CSS pixels: over a plane, or around a room. */
  pan(across, down) {
    if (this.dimensions === 3) this.#rotate(across * 0.008, down * 0.008);
    else this.#shift(across, down);
  }

  /* Make everything so many times as large, about a place of the canvas or its middle. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(Math.max(this.scale * factor, this.fitScale / 4), this.fitScale * Scatter.#CLOSEST);
    const left = 1 / this.scale - 1 / scale;
    this.#slide((x - this.width / 2) * left, (this.height / 2 - y) * left);
    this.scale = scale;
    this.#moved();
  }

  get fitScale() {
    return (0.92 * Math.max(Math.min(this.width / this.spread[0], this.height / this.spread[1]), 1e-9)) / 2;
  }

  /* ---- what is drawn ---- */

  #setUp() {
    const gl = this.context;
    this.program = this.#program(Scatter.#VERTEX, Scatter.#FRAGMENT, ["place", "look"]);
    this.lineProgram = this.#program(Scatter.#LINE_VERTEX, Scatter.#LINE_FRAGMENT, ["place"]);
    this.placeBuffer = gl.createBuffer();
    this.lookBuffer = gl.createBuffer();
    this.lineBuffer = gl.createBuffer();
    this.spread ??= [1, 1];
    gl.enableVertexAttribArray(0);
  }

  #program(vertex, fragment, attributes) {
    const gl = this.context;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    attributes.forEach((name, number) => gl.bindAttribLocation(program, number, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    const places = {};
    for (const name of ["turn", "centre", "scale", "size", "depth", "ground", "ink", "isRing"]) {
      places[name] = gl.getUniformLocation(program, name);
    }
    return { program, places };
  }

  /* Points are drawn in an order of chance, the same every time: no class lies over all others, and the first few are
   * a fair sample. */
  #shuffle() {
    this.order = Int32Array.from({ length: this.count }, (_, point) => point);
    let state = 1;
    for (let place = this.count - 1; place > 0; place -= 1) {
      state = (state * 48271) % 2147483647;
      const other = state % (place + 1);
      [this.order[place], this.order[other]] = [this.order[other], this.order[place]];
    }
  }

  #upload() {
    const gl = this.context;
    const placed = new Float32Array(this.count * this.dimensions);
    for (let place = 0; place < this.count; place += 1) {
      for (let axis = 0; axis < this.dimensions; axis += 1) {
        placed[place * this.dimensions + axis] = this.coordinates[this.order[place] * this.dimensions + axis];
      }
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.placeBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, placed, gl.STATIC_DRAW);
    this.#show();
  }

  /* Write colours and flags; a point without a finite place is never drawn. */
  #show() {
    const gl = this.context;
    for (let point = 0; point < this.count; point += 1) {
      const isSeen = this.visible[point] && Number.isFinite(this.#sum(point));
      this.looks[4 * point + 3] = isSeen ? (this.chosen[point] ? 255 : 128) : 0;
    }
    const words = new Uint32Array(this.looks.buffer);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lookBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, this.order.map((point) => words[point]), gl.DYNAMIC_DRAW);
    this.isLayered = this.dimensions === 3 || this.chosen.includes(1);
    this.grid = null;
    this.draw();
  }

  #frame(start) {
    this.pending = 0;
    const isMoving = performance.now() - this.lastMove < Scatter.#REST_MS;
    const drawn = isMoving ? this.sample : this.count;
    this.#paint(drawn);
    clearTimeout(this.resting);
    if (drawn < this.count) this.resting = setTimeout(() => this.draw(), Scatter.#REST_MS + 10);
    // What a frame takes is the time until the browser asks for the next one: drawing goes on after the calls return.
    requestAnimationFrame((next) => {
      const took = next - start;
      this.frameTimes.push(took);
      if (this.frameTimes.length > Scatter.#FRAMES) this.frameTimes.shift();
      if (!isMoving) return;
      const factor = took > Scatter.#SLOW_MS ? Math.max(Math.min(16 / took, 0.8), 0.3) : 1.04;
      this.sample = Math.round(Math.min(Math.max(drawn * factor, Scatter.#FEWEST), this.count));
    });
  }

  #paint(drawn) {
    const gl = this.context;
    if (gl.isContextLost()) return;
    const [red, green, blue] = this.ground;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (this.count) this.#paintPoints(drawn);
    if (this.lasso) this.#paintLasso();
  }

  #paintPoints(drawn) {
    const gl = this.context;
    const { program, places } = this.program;
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.placeBuffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, this.dimensions, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lookBuffer);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    // fewer points are larger ones, so that the picture stays about as dense
    const size = this.#size() * this.ratio * Math.min(Math.max(this.count / drawn, 1) ** 0.25, 1.8);
    gl.uniformMatrix3fv(places.turn, false, this.turn);
    gl.uniform3fv(places.centre, this.centre);
    gl.uniform2f(places.scale, (2 * this.scale) / this.width, (2 * this.scale) / this.height);
    gl.uniform1f(places.size, size);
    gl.uniform1f(places.depth, this.dimensions === 3 ? 0.5 / this.radius : 0);
    gl.uniform3fv(places.ground, this.ground);
    gl.uniform3fv(places.ink, this.ink);
    gl.uniform1f(places.isRing, 0);
    if (this.isLayered) gl.enable(gl.DEPTH_TEST);
    gl.drawArrays(gl.POINTS, 0, drawn);
    gl.disable(gl.DEPTH_TEST);
    if (this.marked >= 0 && this.marked < this.count) {
      gl.uniform1f(places.isRing, 1);
      gl.uniform1f(places.size, Math.max(2.2 * size, 14 * this.ratio));
      gl.drawArrays(gl.POINTS, this.order.indexOf(this.marked), 1);
    }
  }

  #paintLasso() {
    const gl = this.context;
    const { program, places } = this.lineProgram;
    const corners = new Float32Array(this.lasso.length);
    for (let number = 0; number < corners.length; number += 2) {
      corners[number] = (2 * this.lasso[number]) / this.width - 1;
      corners[number + 1] = 1 - (2 * this.lasso[number + 1]) / this.height;
    }
    gl.useProgram(program);
    gl.disableVertexAttribArray(1);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lineBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, corners, gl.STREAM_DRAW);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.uniform3fv(places.ink, this.ink);
    gl.drawArrays(gl.LINE_LOOP, 0, corners.length / 2);
  }

  /* CSS pixels across a point: fewer for many points, more when they are seen from near. */
  #size() {
    const many = Math.min(Math.max(220 / Math.sqrt(Math.max(this.count, 1)), 2.6), 8);
    return Math.min(many * Math.max(this.scale / this.fitScale, 1) ** 0.35, 16);
  }

  /* ---- where things are ---- */

  #measure() {
    const low = [Infinity, Infinity, Infinity];
    const high = [-Infinity, -Infinity, -Infinity];
    for (let point = 0; point < this.count; point += 1) {
      if (!Number.isFinite(this.#sum(point))) continue;
      for (let axis = 0; axis < this.dimensions; axis += 1) {
        const value = this.coordinates[point * this.dimensions + axis];
        if (value < low[axis]) low[axis] = value;
        if (value > high[axis]) high[axis] = value;
      }
    }
    const spans = low.map((value, axis) => (value <= high[axis] ? (high[axis] - value) / 2 : 0));
    this.middle = low.map((value, axis) => (value <= high[axis] ? (high[axis] + value) / 2 : 0));
    let farthest = 0;
    for (let point = 0; point < this.count; point += 1) {
      const away = Math.hypot(...this.#place(point).map((value, axis) => value - this.middle[axis]));
      if (away > farthest) farthest = away;
    }
    this.radius = farthest || 1;
    const least = 0.05 * this.radius;
    this.spread = this.dimensions === 3 ? [this.radius, this.radius] : spans.slice(0, 2).map((span) => span || least);
  }

  #sum(point) {
    let sum = 0;
    for (let axis = 0; axis < this.dimensions; axis += 1) sum += this.coordinates[point * this.dimensions + axis];
    return sum;
  }

  #place(point) {
    const first = point * this.dimensions;
    return [this.coordinates[first], this.coordinates[first + 1], this.dimensions === 3 ? this.coordinates[first + 2] : 0];
  }

  /* The matrix is stored column by column, as WebGL takes it. */
  #seen(x, y, z) {
    const turn = this.turn;
    const dx = x - this.centre[0];
    const dy = y - this.centre[1];
    const dz = z - this.centre[2];
    return [
      this.width / 2 + (turn[0] * dx + turn[3] * dy + turn[6] * dz) * this.scale,
      this.height / 2 - (turn[1] * dx + turn[4] * dy + turn[7] * dz) * this.scale,
    ];
  }

  /* Sort the visible points into cells of the canvas; done when the pointer rests on a view that has changed. */
  #makeGrid() {
    const across = Math.ceil(this.width / Scatter.#CELL);
    const down = Math.ceil(this.height / Scatter.#CELL);
    const seen = new Float32Array(2 * this.count);
    const cells = new Int32Array(this.count).fill(-1);
    const starts = new Int32Array(across * down + 1);
    for (let point = 0; point < this.count; point += 1) {
      if (!this.looks[4 * point + 3]) continue;
      const [x, y] = this.placeOf(point);
      seen[2 * point] = x;
      seen[2 * point + 1] = y;
      if (x < 0 || y < 0 || x >= this.width || y >= this.height) continue;
      const cell = Math.floor(y / Scatter.#CELL) * across + Math.floor(x / Scatter.#CELL);
      cells[point] = cell;
      starts[cell + 1] += 1;
    }
    for (let cell = 0; cell < across * down; cell += 1) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    const sorted = new Int32Array(starts[across * down]);
    for (let point = 0; point < this.count; point += 1) {
      if (cells[point] >= 0) sorted[next[cells[point]]++] = point;
    }
    this.grid = { across, down, starts, sorted, seen };
  }

  /* The visible point that is nearest to a place of the canvas, or -1. */
  nearest(x, y, reach = Scatter.#REACH) {
    if (!this.grid) this.#makeGrid();
    const { across, down, starts, sorted, seen } = this.grid;
    const cell = (value, most) => Math.min(Math.max(Math.floor(value / Scatter.#CELL), 0), most - 1);
    let best = -1;
    let least = reach * reach;
    for (let row = cell(y - reach, down); row <= cell(y + reach, down); row += 1) {
      const first = starts[row * across + cell(x - reach, across)];
      const last = starts[row * across + cell(x + reach, across) + 1];
      for (let place = first; place < last; place += 1) {
        const point = sorted[place];
        const square = (seen[2 * point] - x) ** 2 + (seen[2 * point + 1] - y) ** 2;
        if (square < least) {
          least = square;
          best = point;
        }
      }
    }
    return best;
  }

  /* The visible points inside a polygon of the canvas: x, y one after another. */
  inside(polygon) {
    if (!this.grid) this.#makeGrid();
    const found = [];
    const { seen } = this.grid;
    const corners = polygon.length / 2;
    for (let point = 0; point < this.count; point += 1) {
      if (!this.looks[4 * point + 3]) continue;
      const x = seen[2 * point];
      const y = seen[2 * point + 1];
      let isIn = false;
      for (let one = 0, other = corners - 1; one < corners; other = one, one += 1) {
        const [x1, y1, x2, y2] = [polygon[2 * one], polygon[2 * one + 1], polygon[2 * other], polygon[2 * other + 1]];
        if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isIn = !isIn;
      }
      if (isIn) found.push(point);
    }
    return Int32Array.from(found);
  }

  /* ---- how the view moves ---- */

  #moved() {
    this.grid = null;
    if (this.hovered >= 0) this.#hover(-1);
    this.lastMove = performance.now();
    this.draw();
  }

  #shift(across, down) {
    this.#slide(-across / this.scale, down / this.scale);
    this.#moved();
  }

  /* Move what is in the middle, along the directions of the canvas. */
  #slide(right, up) {
    const turn = this.turn;
    for (let axis = 0; axis < 3; axis += 1) this.centre[axis] += turn[3 * axis] * right + turn[3 * axis + 1] * up;
  }

  #rotate(across, down) {
    const [c, s, k, l] = [Math.cos(across), Math.sin(across), Math.cos(down), Math.sin(down)];
    const turn = [];
    for (let axis = 0; axis < 3; axis += 1) {
      const [x, y, z] = this.turn.slice(3 * axis, 3 * axis + 3);
      const [x1, z1] = [c * x + s * z, c * z - s * x];
      turn.push(x1, k * y - l * z1, l * y + k * z1);
    }
    // Thousands of small turns must not shear the room: its first two rows are made upright again.
    const row = (number) => [turn[number], turn[number + 3], turn[number + 6]];
    const unit = (one) => one.map((value) => value / Math.hypot(...one));
    const first = unit(row(0));
    const along = row(1).reduce((sum, value, axis) => sum + value * first[axis], 0);
    const second = unit(row(1).map((value, axis) => value - along * first[axis]));
    const third = [0, 1, 2].map((axis) => {
      const [one, two] = [(axis + 1) % 3, (axis + 2) % 3];
      return first[one] * second[two] - first[two] * second[one];
    });
    this.turn = [0, 1, 2].flatMap((axis) => [first[axis], second[axis], third[axis]]);
    this.#moved();
  }

  #resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    if (ratio === this.ratio && box.width === this.width && box.height === this.height) return;
    this.ratio = ratio;
    const [before, wasFit] = [this.fitScale, this.scale];
    this.width = Math.max(box.width, 1);
    this.height = Math.max(box.height, 1);
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.scale = Number.isFinite(before) ? (wasFit / before) * this.fitScale : this.fitScale;
    this.#recolour();
  }

  #recolour() {
    const style = getComputedStyle(this.canvas);
    const read = (text, otherwise) => {
      const parts = text.match(/[\d.]+/g);
      return parts && parts.length >= 3 && parts[3] !== "0" ? parts.slice(0, 3).map((part) => part / 255) : otherwise;
    };
    this.ground = read(style.backgroundColor, [1, 1, 1]);
    this.ink = read(style.color, [0, 0, 0]);
    this.#moved();
  }

  /* ---- what a person does ---- */

  #listen(keys) {
    const canvas = this.canvas;
    canvas.style.touchAction = "none";
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    canvas.addEventListener("pointerleave", (event) => this.pointers.size || event.pointerType === "touch" || this.#hover(-1));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    if (keys) canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.#setUp();
      this.#upload();
    });
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event) {
    const [x, y] = this.#at(event);
    this.canvas.setPointerCapture?.(event.pointerId);
    this.pointers.set(event.pointerId, { x, y });
    if (this.pointers.size > 1) {
      // a second finger pinches, whatever the first one had begun
      this.gesture = "pinch";
      this.lasso = null;
      return;
    }
    this.begun = [x, y];
    this.isClick = true;
    const isSliding = event.button === 1 || event.button === 2;
    this.gesture = this.lassoMode || event.shiftKey ? "lasso" : isSliding ? "slide" : "pan";
    this.lasso = this.gesture === "lasso" ? [x, y] : null;
  }

  #move(event) {
    const [x, y] = this.#at(event);
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType !== "touch" && !this.pointers.size) this.#hover(this.nearest(x, y));
      return;
    }
    const [across, down] = [x - pointer.x, y - pointer.y];
    if (this.gesture === "pinch") {
      // what one finger does when the other has left is not meant
      if (this.pointers.size > 1) this.#pinch(event.pointerId, x, y);
      return;
    }
    if (Math.hypot(x - this.begun[0], y - this.begun[1]) > Scatter.#CLICK) this.isClick = false;
    if (this.gesture === "lasso") {
      if (Math.hypot(across, down) < 2) return;
      this.lasso.push(x, y);
      this.draw();
    } else if (!this.isClick) {
      if (this.gesture === "slide") this.#shift(across, down);
      else this.pan(across, down);
    } else {
      return;
    }
    [pointer.x, pointer.y] = [x, y];
  }

  #pinch(moving, x, y) {
    const [first, second] = [...this.pointers.keys()];
    const one = this.pointers.get(moving);
    const other = this.pointers.get(moving === first ? second : first);
    if (moving !== first && moving !== second) return;
    const before = Math.hypot(one.x - other.x, one.y - other.y);
    const after = Math.hypot(x - other.x, y - other.y);
    this.#shift((x - one.x) / 2, (y - one.y) / 2);
    if (before > 1 && after > 1) this.zoom(after / before, (x + other.x) / 2, (y + other.y) / 2);
    [one.x, one.y] = [x, y];
  }

  #up(event) {
    if (!this.pointers.delete(event.pointerId) || this.gesture === "pinch") return;
    const [x, y] = this.#at(event);
    const lasso = this.lasso;
    this.lasso = null;
    if (this.isClick && event.button === 0) {
      const reach = event.pointerType === "touch" ? 2 * Scatter.#REACH : Scatter.#REACH;
      const found = this.nearest(x, y, reach);
      this.#hover(found);
      if (found >= 0) this.onPick(found, event);
    } else if (lasso && lasso.length >= 6) {
      this.onLasso(this.inside(lasso));
    }
    this.draw();
  }

  #cancel(event) {
    this.pointers.delete(event.pointerId);
    this.lasso = null;
    this.draw();
  }

  #hover(index) {
    this.canvas.style.cursor = this.lassoMode ? "crosshair" : index >= 0 ? "pointer" : "grab";
    if (index === this.hovered) return;
    this.hovered = index;
    this.onHover(index);
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.height : 1;
    const [x, y] = this.#at(event);
    this.zoom(Math.exp(-0.0016 * Math.min(Math.max(event.deltaY * lines, -400), 400)), x, y);
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60;
    const moves = {
      ArrowLeft: () => this.pan(step, 0),
      ArrowRight: () => this.pan(-step, 0),
      ArrowUp: () => this.pan(0, step),
      ArrowDown: () => this.pan(0, -step),
      "+": () => this.zoom(1.3),
      "=": () => this.zoom(1.3),
      "-": () => this.zoom(1 / 1.3),
      0: () => this.fit(),
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  }
}
