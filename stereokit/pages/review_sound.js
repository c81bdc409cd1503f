/* Hearing a clip, and seeing it: waveform, spectrogram of mid and side, vectorscope. */
"use strict";

class Sound {
  constructor({ wave, spectrogram, vectorscope, onError }) {
    this.wave = wave;
    this.spectrogram = spectrogram;
    this.vectorscope = vectorscope;
    this.onError = onError;
    this.player = new Audio();
    this.player.preload = "auto";
    this.shown = -1;
  }

  play(clip) {
    const address = `sound/${clip}`;
    if (!this.player.src.endsWith(`/${address}`)) this.player.src = address;
    this.player.currentTime = 0;
    this.player.play().catch((error) => {
      // Another clip was asked for before this one was there: nothing is wrong.
      if (error.name !== "AbortError") this.onError(error.name === "NotAllowedError"
        ? "This browser plays only after a click or a key on the page."
        : "This clip cannot be played.");
    });
  }

  async show(clip) {
    this.shown = clip;
    this.spectrogram.src = `picture/${clip}`;
    const { left, right } = await this.#samples(`sound/${clip}`);
    if (this.shown !== clip) return;
    Sound.#drawWave(this.wave, left, right);
    Sound.#drawVectorscope(this.vectorscope, left, right);
  }

  /* Return nothing of a clip that cannot be read any more, so that no other clip's picture stays. */
  async #samples(address) {
    try {
      const answer = await fetch(address);
      if (answer.ok) return Sound.samples(await answer.arrayBuffer());
      this.onError(`This clip cannot be read any more: ${(await answer.json()).error}`);
    } catch {
      // Whether the server answers at all is told elsewhere.
    }
    return { left: new Float32Array(), right: new Float32Array() };
  }

  /* Read the server's own WAV files: two channels of 16 bit. */
  static samples(buffer) {
    const view = new DataView(buffer);
    let at = 12;
    while (view.getUint32(at, false) !== 0x64617461) at += 8 + view.getUint32(at + 4, true);
    const frames = view.getUint32(at + 4, true) >> 2;
    const both = new Int16Array(buffer.slice(at + 8, at + 8 + 4 * frames));
    const left = new Float32Array(frames), right = new Float32Array(frames);
    for (let i = 0; i < frames; i++) {
      left[i] = both[2 * i] / 32768;
      right[i] = both[2 * i + 1] / 32768;
    }
    return { left, right };
  }

  static #drawWave(canvas, left, right) {
    const pen = canvas.getContext("2d");
    const { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = "#6cb0ff";
    [left, right].forEach((signal, part) => {
      const middle = height * (0.25 + 0.5 * part);
      for (let x = 0; x < width; x++) {
        const from = Math.floor((x * signal.length) / width), to = Math.max(from + 1, Math.floor(((x + 1) * signal.length) / width));
        let low = 0, high = 0;
        for (let i = from; i < to; i++) {
          if (signal[i] < low) low = signal[i];
          if (signal[i] > high) high = signal[i];
        }
        pen.fillRect(x, middle - high * height * 0.24, 1, Math.max(1, (high - low) * height * 0.24));
      }
    });
  }

  static #drawVectorscope(canvas, left, right) {
    const pen = canvas.getContext("2d");
    const { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = "#3a424d";
    pen.fillRect(width / 2, 0, 1, height);
    pen.fillRect(0, height / 2, width, 1);
    pen.fillStyle = "#9fe0a0";
    let peak = 1e-9;
    for (let i = 0; i < left.length; i++) peak = Math.max(peak, Math.abs(left[i] + right[i]), Math.abs(left[i] - right[i]));
    const step = Math.max(1, Math.floor(left.length / 20000));
    for (let i = 0; i < left.length; i += step) {
      const side = (right[i] - left[i]) / peak, mid = (left[i] + right[i]) / peak;
      pen.fillRect(width * (0.5 + 0.48 * side), height * (0.5 - 0.48 * mid), 1, 1);
    }
  }
}
