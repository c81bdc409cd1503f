// The page of a blind listening study. It knows trials by what tells nothing, and answers as sounds 1 and 2.
"use strict";

(() => {
  const LISTENER = "stereokit-listener";
  const KEYS = { a: "1", s: "2", d: "x" };
  const NAMES = { 1: "Sound 1", 2: "Sound 2", x: "Reference" };
  const SPOKEN = { 1: "sound 1", 2: "sound 2", x: "the reference" };
  const part = (id) => document.getElementById(id);
  let words = null;
  let place = null;
  let players = [];
  let sending = false;

  function show(id) {
    for (const name of ["join", "trial", "done", "over"]) part(name).hidden = name !== id;
    part("footer").hidden = id === "over";
  }

  function say(text) { part("status").textContent = text; }

  // null when the server is gone
  async function ask(path, sent) {
    const request = sent === undefined ? {} : {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent),
    };
    let answer;
    try {
      answer = await fetch(path, { cache: "no-store", ...request });
    } catch {
      return null;
    }
    const content = await answer.json().catch(() => ({}));
    return { status: answer.status, content };
  }

  function gone() {
    stop();
    say("The study cannot be reached. Answers given so far are kept; try again, or ask whoever holds the study.");
  }

  function listed(names) {
    return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  }

  // --- joining ---

  async function start() {
    const answer = await ask("study");
    if (answer === null) return gone();
    words = answer.content;
    for (const one of document.querySelectorAll(".question")) one.textContent = words.question;
    part("name").maxLength = part("group").maxLength = words.longest_name;
    part("same").hidden = !words.allow_same;
    part("group-free").hidden = words.groups.length > 0;
    part("group-choice").hidden = words.groups.length === 0;
    part("groups").replaceChildren(...["", ...words.groups].map((name) => {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = name || "choose";
      return option;
    }));
    part("groups").required = words.groups.length > 0;
    part("keys").textContent = "Keys: A plays sound 1, S plays sound 2" + (words.has_reference ? ", D the reference" : "")
      + "; space pauses; 1, 2" + (words.allow_same ? " and 0" : "") + " answer.";
    const known = sessionStorage.getItem(LISTENER);
    if (known !== null && await load(known)) return;
    part("join-form").hidden = false;
    part("known").hidden = true;
    show("join");
    part("name").focus();
  }

  async function join(again) {
    const group = words.groups.length ? part("groups").value : part("group").value.trim();
    const answer = await ask("join", { name: part("name").value, group, again });
    if (answer === null) return gone();
    if (answer.status !== 200) return say(answer.content.error);
    say("");
    if (answer.content.known) {
      const { answered, total } = answer.content;
      part("known-text").textContent = `“${part("name").value.trim()}” has answered ${answered} of ${total} already.`
        + " Is that you?";
      part("known").hidden = false;
      part("join-form").hidden = true;
      part("again").focus();
      return;
    }
    sessionStorage.setItem(LISTENER, answer.content.listener);
    enter(answer.content);
  }

  async function load(listener) {
    const answer = await ask(`listener/${encodeURIComponent(listener)}`);
    if (answer === null) { gone(); return true; }
    if (answer.status !== 200) { sessionStorage.removeItem(LISTENER); return false; }
    enter(answer.content);
    return true;
  }

  // --- a trial ---

  function enter(state) {
    place = state;
    stop();
    part("progress").max = state.total;
    part("progress").value = state.answered;
    if (state.trial === null) {
      part("done-text").textContent = `All ${state.total} questions are answered and kept, ${state.name}.`;
      show("done");
      part("done-title").focus();
      return;
    }
    part("count").textContent = `${state.answered + 1} of ${state.total}`;
    show("trial");
    build(state.trial);
    refresh();
    part("question").focus();
  }

  function build(trial) {
    const wanted = words.has_reference ? ["1", "2", "x"] : ["1", "2"];
    part("players").replaceChildren();
    players = wanted.map((which) => {
      const box = document.createElement("div");
      const button = document.createElement("button");
      button.type = "button";
      const [name, state] = ["name", "state"].map((kind) => {
        const line = document.createElement("span");
        line.className = kind;
        button.append(line);
        return line;
      });
      name.textContent = NAMES[which];
      const key = document.createElement("kbd");
      key.textContent = Object.keys(KEYS).find((one) => KEYS[one] === which).toUpperCase();
      button.setAttribute("aria-keyshortcuts", key.textContent);
      name.append(key);
      const audio = new Audio(`sound/${trial}/${which}`);
      audio.preload = "auto";
      const player = { which, audio, button, box, state, heard: false, failed: false };
      audio.addEventListener("ended", () => { player.heard = true; refresh(); });
      audio.addEventListener("error", () => { player.failed = true; refresh(); });
      for (const event of ["play", "pause"]) audio.addEventListener(event, refresh);
      button.addEventListener("click", () => toggle(player));
      box.append(button);
      part("players").append(box);
      return player;
    });
  }

  function toggle(player) {
    if (!player.audio.paused) return player.audio.pause();
    for (const other of players) {
      if (other !== player && !other.audio.paused) other.audio.pause();
      // another sound starts anew, so that no two starts differ
      if (other !== player) other.audio.currentTime = 0;
    }
    player.audio.play().catch(() => { player.failed = player.audio.error !== null; refresh(); });
  }

  function stop() {
    for (const player of players) player.audio.pause();
  }

  function refresh() {
    const left = players.filter((player) => !player.heard);
    for (const player of players) {
      const { audio, button } = player;
      const begun = audio.currentTime > 0 && !audio.ended;
      button.setAttribute("aria-pressed", String(!audio.paused));
      player.box.classList.toggle("heard", player.heard);
      player.state.textContent = player.failed ? "cannot be played" : !audio.paused ? "playing"
        : begun ? "paused" : player.heard ? "heard ✓" : "play";
    }
    const ready = left.length === 0 && !sending;
    for (const button of part("answers").children) button.disabled = !ready;
    part("hint").textContent = players.some((player) => player.failed)
      ? "A sound cannot be played: tell whoever holds the study."
      : left.length ? `Hear ${listed(left.map((player) => SPOKEN[player.which]))} to the end first.`
        : "Play them again as often as you like, then answer.";
  }

  async function answer(word) {
    if (sending || place === null || part("trial").hidden || players.some((player) => !player.heard)) return;
    if (word === "same" && !words.allow_same) return;
    sending = true;
    refresh();
    say("");
    const told = await ask("answer", { trial: place.trial, answer: word });
    sending = false;
    if (told === null) { refresh(); return gone(); }
    if (!await load(place.listener)) return start();
    // the first answer stays, whichever tab it came from
    say(told.status === 200 ? "Kept." : told.content.error);
  }

  // --- keys, buttons ---

  // Where digits need shift, or letters are not Latin, it is the place of a key that counts.
  function keyOf(event) {
    const digit = /^(?:Digit|Numpad)([012])$/.exec(event.code);
    if (digit) return digit[1];
    const letter = /^Key([A-Z])$/.exec(event.code);
    return (/^[\x20-\x7e]$/.test(event.key) || !letter ? event.key : letter[1]).toLowerCase();
  }

  document.addEventListener("keydown", (event) => {
    if (part("trial").hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = keyOf(event);
    const player = players.find((one) => one.which === KEYS[key]);
    if (player) toggle(player);
    else if (key === "1" || key === "2") answer(key);
    else if (key === "0") answer("same");
    else if (key === " " && !(event.target instanceof HTMLButtonElement) && event.target.tagName !== "SUMMARY") {
      const begun = players.find((one) => !one.audio.paused)
        || players.find((one) => one.audio.currentTime > 0 && !one.audio.ended);
      if (begun) toggle(begun);
    } else return;
    event.preventDefault();
  });
  part("join-form").addEventListener("submit", (event) => { event.preventDefault(); join(false); });
  part("again").addEventListener("click", () => join(true));
  part("other").addEventListener("click", () => {
    part("known").hidden = true;
    part("join-form").hidden = false;
    part("name").select();
    part("name").focus();
  });
  part("answers").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) answer(button.dataset.answer);
  });
  part("next-listener").addEventListener("click", () => {
    sessionStorage.removeItem(LISTENER);
    location.reload();
  });

  function askEnd(asking) {
    part("end").hidden = asking;
    part("end-question").hidden = !asking;
    part(asking ? "end-not" : "end").focus();
  }
  part("end").addEventListener("click", () => askEnd(true));
  part("end-not").addEventListener("click", () => askEnd(false));
  part("end-really").addEventListener("click", async () => {
    stop();
    if (await ask("finish", { really: true }) === null) return gone();
    say("");
    show("over");
    part("over-title").focus();
  });

  start();
})();
