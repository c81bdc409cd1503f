/* What the page knows of the clips, and its talk with the server: nothing counts as decided before the server says so. */
"use strict";

class Desk extends EventTarget {
  static POLL_MS = 1500;

  constructor() {
    super();
    // Two tabs are two listeners: each takes back what itself decided. A reload is the same one.
    this.listener = sessionStorage.getItem("listener") ?? crypto.randomUUID();
    sessionStorage.setItem("listener", this.listener);
    this.names = [];
    this.classes = [];
    this.palette = []; // a colour a class, and last that of clips without one
    this.labels = []; // a name or null
    this.provenances = [];
    this.numbers = []; // of the last decision about each clip
    this.last = 0; // the decision up to which all are known here
    this.isBusy = false; // while a change is on its way
    this.isLost = false; // when the server did not answer last
    this.finished = false;
    this.lesson = { number: 0, classes: [], told: new Uint8Array(), confidence: new Uint8Array(), questions: [] };
  }

  async open() {
    const [set, map] = await Promise.all([this.#get("set"), fetch("map").then((answer) => answer.arrayBuffer())]);
    this.names = set.names;
    this.palette = set.palette;
    this.labels = new Array(set.names.length).fill(null);
    this.provenances = new Array(set.names.length).fill(null);
    this.numbers = new Array(set.names.length).fill(0);
    this.last = set.verdicts.reduce((last, verdict) => Math.max(last, verdict[3]), 0);
    this.coordinates = new Float32Array(map);
    this.#learn(set.lesson);
    this.#take(set);
    setTimeout(() => this.#poll(), Desk.POLL_MS);
  }

  /* Tell whether nobody has said anything of a clip, not even that it shall have no label. */
  isOpen(clip) {
    return this.provenances[clip] === null;
  }

  /* Return the class that is told of a clip, or null. */
  told(clip) {
    const told = this.lesson.told[clip];
    return told === undefined || told === 255 ? null : this.lesson.classes[told];
  }

  /* Return how sure that is, from 0 to 1. */
  sureness(clip) {
    return (this.lesson.confidence[clip] ?? 0) / 255;
  }

  /* Return whether the label is kept. */
  async decide(clips, label) {
    return null !== await this.#change("decide", { wishes: clips.map((clip) => [clip, label, this.numbers[clip]]) });
  }

  async undo() {
    const news = await this.#change("undo", {});
    if (news !== null && news.verdicts.length === 0) this.#say("There is nothing left that you decided in this tab.");
    return news === null ? [] : news.verdicts.map((verdict) => verdict[0]);
  }

  async addClass(name) {
    return (await this.#change("classes", { name }))?.name ?? null;
  }

  async finish() {
    this.finished = (await this.#change("finish", {})) !== null;
  }

  /* Send a change, and return the answer to it, or null when nothing was changed. One at a time: a key that is pressed
   * before the last one is answered is about a clip that nobody has heard yet. */
  async #change(path, content) {
    if (this.isBusy) return null;
    this.isBusy = true;
    try {
      return await this.#sent(path, content);
    } finally {
      this.isBusy = false;
    }
  }

  async #sent(path, content) {
    let answer, news;
    try {
      answer = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ listener: this.listener, ...content }),
      });
      news = await answer.json();
    } catch {
      this.#say("Not saved: the server does not answer. Is the command still running?");
      return null;
    }
    if (news.classes) this.#take(news);
    if (answer.status === 409) this.#say("Not saved: another tab has decided about this meanwhile. Look again.");
    else if (!answer.ok) this.#say(`Not saved: ${news.error}`);
    else this.#say("");
    return answer.ok ? news : null;
  }

  async #poll() {
    if (this.finished) return;
    try {
      const news = await this.#get(`news?last=${this.last}&lesson=${this.lesson.number}`);
      if (this.isLost) this.#say("");
      this.isLost = false;
      if (news.lesson !== null) this.#learn(news.lesson);
      const isNew = news.verdicts.some(([clip, , , number]) => number > this.numbers[clip]);
      if (isNew || news.lesson !== null || news.classes.length !== this.classes.length) this.#take(news);
      // What this tab decided itself says nothing of what others did before: only here all is told.
      this.last = news.verdicts.reduce((last, verdict) => Math.max(last, verdict[3]), this.last);
    } catch {
      this.isLost = true;
      this.#say("The server does not answer: nothing can be saved. Is the command still running?");
    }
    setTimeout(() => this.#poll(), Desk.POLL_MS);
  }

  async #get(path) {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  }

  #take(news) {
    this.classes = news.classes;
    for (const [clip, label, provenance, number] of news.verdicts ?? []) {
      if (number < this.numbers[clip]) continue;
      this.labels[clip] = label;
      this.provenances[clip] = provenance;
      this.numbers[clip] = number;
    }
    this.dispatchEvent(new Event("changed"));
  }

  #learn(lesson) {
    const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    this.lesson = { ...lesson, told: bytes(lesson.told), confidence: bytes(lesson.confidence) };
  }

  #say(text) {
    this.dispatchEvent(new CustomEvent("said", { detail: text }));
  }
}
