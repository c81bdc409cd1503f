/* The page: what is selected, what is chosen, and which key does what. */
"use strict";

const $ = (name) => document.getElementById(name);
// Without the letters of ACTIONS.
const CLASS_KEYS = "123456789qwertyuiopasdfgh".split("");

const desk = new Desk();
const sound = new Sound({ wave: $("wave"), spectrogram: $("spectrogram"), vectorscope: $("vectorscope"), onError: say });
let map = null;
let selected = -1;
let chosen = [];

const list = new ClipList($("list"), $("rows"), {
  onSelect: (clip) => select(clip),
  text: (clip) => {
    const label = desk.labels[clip], told = desk.told(clip);
    const [red, green, blue] = classColour(desk.palette, desk.classes.indexOf(label ?? told));
    return {
      name: desk.names[clip],
      label,
      told: told === null ? "" : `${told}? ${Math.round(100 * desk.sureness(clip))} %`,
      colour: `rgb(${red} ${green} ${blue})`,
    };
  },
});

function say(text) {
  $("notice").textContent = text;
}

function select(clip, { plays = true } = {}) {
  if (clip < 0) return;
  selected = clip;
  list.select(clip);
  map?.mark(clip);
  sound.show(clip);
  if (plays) sound.play(clip);
  describe();
}

function choose(clips) {
  chosen = Array.from(clips);
  map?.choose(chosen);
  $("chosen-count").textContent = chosen.length ? `${chosen.length} clips are chosen: a label goes to all of them` : "";
  $("choose-none").hidden = chosen.length === 0;
  if (chosen.length) $("shown").value = "chosen";
  else if ($("shown").value === "chosen") $("shown").value = "questions";
  relist();
}

/* Label what is chosen, or the clip that is selected, and go on to the next. */
async function give(label) {
  const many = chosen.length > 0, clips = many ? chosen : selected < 0 ? [] : [selected];
  if (!clips.length) return say("Select a clip first.");
  const isQuestion = $("shown").value === "questions" || $("shown").value === "unsure";
  const next = many ? -1 : list.beside(1);
  if (!await desk.decide(clips, label)) return;
  if (many) choose([]);
  else select(isQuestion ? firstOpen(next) : next);
}

function firstOpen(preferred) {
  if (preferred >= 0 && desk.isOpen(preferred)) return preferred;
  return list.clips.find((clip) => desk.isOpen(clip)) ?? preferred;
}

async function undo() {
  const clips = await desk.undo();
  if (clips.length) select(clips[0], { plays: false });
}

function listed() {
  const those = (holds) => Array.from(desk.names.keys()).filter(holds);
  switch ($("shown").value) {
    case "questions": return desk.lesson.questions.filter((clip) => desk.isOpen(clip));
    case "unsure": return those((clip) => desk.isOpen(clip)).sort((a, b) => desk.sureness(a) - desk.sureness(b));
    case "doubtful": return those((clip) => desk.labels[clip] !== null && ![null, desk.labels[clip]].includes(desk.told(clip)))
      .sort((a, b) => desk.sureness(b) - desk.sureness(a));
    case "decided": return those((clip) => desk.provenances[clip] === "human").sort((a, b) => desk.numbers[b] - desk.numbers[a]);
    case "chosen": return chosen;
    default: return those(() => true);
  }
}

function relist() {
  const words = $("search").value.toLowerCase().split(" ").filter(Boolean);
  const clips = listed().filter((clip) => words.every((word) => desk.names[clip].toLowerCase().includes(word)));
  list.show(clips);
}

function describe() {
  if (selected < 0) return;
  const label = desk.labels[selected], told = desk.told(selected);
  $("clip-name").textContent = desk.names[selected];
  const isHuman = desk.provenances[selected] === "human";
  const known = label === null ? (isHuman ? "passed: no label" : "no label yet") : `${label} (${isHuman ? "decided here" : "given"})`;
  $("clip-told").textContent = told === null ? known : `${known}; told: ${told}, ${Math.round(100 * desk.sureness(selected))} % sure`;
  for (const button of $("classes").children) button.setAttribute("aria-pressed", String(button.dataset.name === label));
}

function refresh() {
  const labelled = desk.labels.reduce((sum, label) => sum + (label !== null), 0);
  $("done").value = labelled;
  $("done").max = Math.max(1, desk.names.length);
  const passed = desk.labels.reduce((sum, label, clip) => sum + (label === null && !desk.isOpen(clip)), 0);
  $("done-text").textContent = `${labelled} of ${desk.names.length} labelled${passed ? `, ${passed} passed` : ""}`;
  drawClasses();
  relist();
  map?.colour();
  describe();
}

function drawClasses() {
  // They only grow; what stays keeps the focus.
  if ($("classes").childElementCount === desk.classes.length) return;
  $("classes").replaceChildren(...desk.classes.map((name, place) => {
    const button = document.createElement("button"), dot = document.createElement("span"), key = document.createElement("kbd");
    button.type = "button";
    button.dataset.name = name;
    dot.className = "dot";
    dot.style.background = `rgb(${classColour(desk.palette, place).join(" ")})`;
    key.textContent = CLASS_KEYS[place]?.toUpperCase() ?? "";
    button.append(dot, name, ...(CLASS_KEYS[place] ? [key] : []));
    button.addEventListener("click", () => give(name));
    return button;
  }));
}

const walk = (steps) => () => select(list.beside(steps));
const WALKS = { ArrowDown: walk(1), ArrowUp: walk(-1), j: walk(1), k: walk(-1), PageDown: walk(10), PageUp: walk(-10) };
const WALKING = new Set(Object.values(WALKS));
const ACTIONS = {
  ...WALKS,
  " ": () => selected >= 0 && sound.play(selected),
  Enter: () => selected >= 0 && desk.told(selected) !== null && give(desk.told(selected)),
  Backspace: () => give(null),
  Delete: () => give(null),
  z: undo,
  l: () => toggleLasso(),
  n: () => $("new-class-name").focus(),
  m: () => $("map").focus(),
  "[": () => $("list").focus(),
  "/": () => $("search").focus(),
  "?": () => $("help").showModal(),
  Escape: () => choose([]),
};

function toggleLasso(isOn = map !== null && !map.scatter.lassoMode) {
  if (map === null) return;
  map.scatter.lassoMode = isOn;
  $("lasso").setAttribute("aria-pressed", String(isOn));
}

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) {
    if (key.toLowerCase() === "z" && !event.altKey && target.tagName !== "INPUT") { event.preventDefault(); undo(); }
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  if (target.tagName === "INPUT" && target.type !== "checkbox") {
    if (key === "Escape") { target.value = ""; relist(); $("list").focus(); }
    if (target.id === "search" && key === "Enter") $("list").focus();
    return;
  }
  // Buttons and menus answer these themselves.
  if (["BUTTON", "SELECT", "SUMMARY", "A", "INPUT"].includes(target.tagName) && [" ", "Enter", "ArrowDown", "ArrowUp"].includes(key)) return;
  const place = CLASS_KEYS.indexOf(key.toLowerCase());
  const action = ACTIONS[key] ?? ACTIONS[key.toLowerCase()] ?? (place >= 0 && place < desk.classes.length ? () => give(desk.classes[place]) : null);
  if (action === null) return;
  event.preventDefault();
  // A key that is held walks through the list; it does not label what it passes.
  if (!event.repeat || WALKING.has(action)) action();
});

$("undo").addEventListener("click", undo);
$("play").addEventListener("click", () => selected >= 0 && sound.play(selected));
$("pass").addEventListener("click", () => give(null));
$("choose-none").addEventListener("click", () => choose([]));
$("lasso").addEventListener("click", () => toggleLasso());
$("fit").addEventListener("click", () => map?.scatter.fit());
$("shown").addEventListener("change", relist);
$("search").addEventListener("input", relist);
$("help-open").addEventListener("click", () => $("help").showModal());
$("finish").addEventListener("click", () => {
  // Escape leaves the answer of the time before.
  $("sure").returnValue = "";
  $("sure").showModal();
});
$("sure").addEventListener("close", async () => {
  if ($("sure").returnValue !== "finish") return;
  await desk.finish();
  if (desk.finished) say("Finished: this page can be closed.");
});
$("new-class").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await desk.addClass($("new-class-name").value)) $("new-class-name").value = "";
  $("list").focus();
});
$("export-told").addEventListener("change", () => {
  const query = $("export-told").checked ? "?told=1" : "";
  $("export-csv").href = `labels.csv${query}`;
  $("export-jsonl").href = `metadata.jsonl${query}`;
});
desk.addEventListener("changed", refresh);
desk.addEventListener("said", (event) => say(event.detail));

async function start() {
  try {
    await desk.open();
  } catch (error) {
    return say(`The clips cannot be loaded: ${error.message}`);
  }
  if (Scatter.isSupported()) {
    map = new ReviewMap($("map"), desk, {
      onHover: (clip) => clip >= 0 && $("hover-plays").checked && !map.scatter.lassoMode && sound.play(clip),
      onPick: (clip) => select(clip),
      onLasso: (clips) => { toggleLasso(false); choose(clips); },
    });
  } else {
    $("map").hidden = true;
    $("no-map").hidden = false;
  }
  document.title = `Label review: ${desk.names.length} clips`;
  refresh();
  if (list.clips.length) select(list.clips[0], { plays: false });
  $("list").focus({ preventScroll: true });
}

start();
