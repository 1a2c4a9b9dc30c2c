// One piece at a time: what a person types is "stored" only when the service says so.

const byId = (id) => document.getElementById(id);
const LOOK_AGAIN = 5000; // milliseconds between two looks for new pieces, when there are none
const RENEW = 30000; // milliseconds of typing after which the piece is asked for once more

let piece = null; // what is on the desk
let lent = 0; // when it was
let isBusy = false;
let counted = 0; // how often the pieces were
let waiting;

class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, body) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const named = { ...body, who: localStorage.getItem("who") };
  const post = { method: "POST", body: JSON.stringify(named) };
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(`/v1/review/${path}`, { headers, ...(body ? post : {}) });
  } catch {
    throw new Refusal(0, "The service does not answer. What you typed is still here.");
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({ detail: `It said ${answer.status}.` }));
    throw new Refusal(answer.status, told.detail);
  }
  return answer;
}

// One thing after the other: a key that is pressed meanwhile does nothing.
async function alone(work) {
  if (isBusy) return;
  isBusy = true;
  try {
    byId("problem").hidden = true;
    await work();
  } catch (error) {
    if (error.status === 401) openDoor(true);
    tell(error.message);
  }
  isBusy = false;
}

function tell(problem) {
  byId("problem").textContent = problem;
  byId("problem").hidden = false;
}

function show(name) {
  for (const id of ["door", "desk", "rest"]) byId(id).hidden = id !== name;
}

async function next() {
  clearTimeout(waiting);
  const answer = await ask("lease", {});
  if (answer.status === 204) {
    piece = null;
    byId("code").value = "";
    show("rest");
    byId("back").focus();
    waiting = setTimeout(() => alone(next), LOOK_AGAIN);
  } else {
    await lay(await answer.json(), "");
  }
  count().catch((error) => tell(error.message)); // nobody who types has to wait for it
}

async function lay(leased, typed) {
  piece = leased;
  lent = Date.now();
  byId("code").value = typed;
  const width = Math.max(piece.width, 1);
  const frame = byId("frame");
  show("desk");
  frame.hidden = true;
  const guess = piece.fields.map((field) => field.digits);
  byId("guess").replaceChildren(label(guess.length ? "Read as" : "Read nothing"), ...marked(guess));
  const reasons = piece.fields.flatMap((field) => field.reasons);
  byId("reason").textContent = reasons.length ? sentence(reasons.join("; ")) : "";
  byId("format").textContent = piece.format ? `Expected: ${piece.format}.` : "";
  byId("code").focus();
  await showPicture(width, Math.max(piece.height, 1));
}

async function showPicture(width, height) {
  const picture = byId("picture");
  URL.revokeObjectURL(picture.src);
  try {
    const answer = await ask(`pieces/${piece.piece}/picture`);
    picture.src = URL.createObjectURL(await answer.blob());
  } catch (error) {
    if (error.status === 401) throw error;
    picture.removeAttribute("src");
    tell(error.message);
    return;
  }
  picture.alt = `Piece ${piece.piece}, ${piece.name}`;
  byId("frame").hidden = false;
  fit(width, height);
}

// As large as the paper allows, but a pixel no larger than 12, and the boxes where they belong.
function fit(width, height) {
  const paper = byId("paper");
  const style = getComputedStyle(paper);
  const room = [paper.clientWidth - 2 * parseFloat(style.paddingLeft),
    paper.clientHeight - 2 * parseFloat(style.paddingTop)];
  const scale = Math.min(room[0] / width, room[1] / height, 12);
  byId("frame").style.width = `${scale * width}px`;
  byId("frame").style.height = `${scale * height}px`;
  const doubtful = piece.fields.flatMap((field) => field.digits).filter((digit) => !digit.accepted);
  byId("boxes").replaceChildren(...doubtful.map(({ box: [left, top, right, bottom] }) => {
    const mark = document.createElement("i");
    const margin = 4 / scale;
    mark.style.left = `${(100 * (left - margin)) / width}%`;
    mark.style.top = `${(100 * (top - margin)) / height}%`;
    mark.style.width = `${(100 * (right - left + 2 * margin)) / width}%`;
    mark.style.height = `${(100 * (bottom - top + 2 * margin)) / height}%`;
    return mark;
  }));
}

function label(words) {
  const span = document.createElement("span");
  span.className = "label";
  span.textContent = words;
  return span;
}

function marked(fields) {
  return fields.flatMap((digits, place) => [
    ...(place ? [" "] : []),
    ...digits.map((digit) => {
      if (digit.accepted) return digit.text;
      const doubtful = document.createElement("b");
      doubtful.textContent = digit.text;
      return doubtful;
    }),
  ]);
}

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

async function count() {
  counted += 1;
  const own = counted;
  const { open, settled } = await (await ask("counts")).json();
  if (own !== counted) return; // a later one is on its way
  const all = open + settled;
  byId("counts").textContent = `${settled.toLocaleString("en")} of ${all.toLocaleString("en")} done`;
  byId("news").textContent = open ? "Nothing for you now" : "All done";
  byId("done").style.transform = `scaleX(${all ? settled / all : 0})`;
}

async function store() {
  const typed = byId("code").value;
  if (!typed.trim()) {
    tell("Nothing is typed yet: type what you see, or press Escape to skip.");
    return;
  }
  try {
    const stored = await (await ask(`pieces/${piece.piece}/answer`, { text: typed })).json();
    const rest = stored.settled ? "." : "; somebody else looks at it too.";
    byId("said").textContent = `Stored: ${stored.text}${rest}`;
  } catch (error) {
    if (error.status !== 409) throw error;
    await haveAgain(typed);
    return;
  }
  await next();
}

// The time was up. Mostly the piece is still free, and what was typed stays.
async function haveAgain(typed) {
  const before = piece.piece;
  await next();
  const isSame = piece?.piece === before;
  if (isSame) byId("code").value = typed;
  tell(isSame ? "The time for this piece was up; it is yours again. Press Enter once more."
    : "The time for that piece was up and somebody else has it; it was not stored.");
}

async function skip() {
  try {
    await ask(`pieces/${piece.piece}/skip`, {});
    byId("said").textContent = "Skipped. It comes back when nothing else is left.";
  } catch (error) {
    if (error.status !== 409) throw error;
  }
  await next();
}

async function undo() {
  const undone = await (await ask("undo", {})).json();
  byId("said").textContent = `Taken back: ${undone.text}.`;
  if (undone.leased) {
    await lay(undone.leased, undone.text);
    byId("code").select();
    count().catch((error) => tell(error.message));
  } else {
    byId("said").textContent += " Somebody else looks at that piece now.";
    if (!piece) await next();
  }
}

function openDoor(wantsToken) {
  byId("secret").hidden = !wantsToken;
  byId("who").value = localStorage.getItem("who") ?? "";
  show("door");
  byId(wantsToken && byId("who").value ? "token" : "who").focus();
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem("who", byId("who").value.trim());
  if (byId("token").value) sessionStorage.setItem("token", byId("token").value.trim());
  alone(next);
});
byId("desk").addEventListener("submit", (event) => {
  event.preventDefault();
  alone(store);
});
byId("nobody").addEventListener("click", () => {
  byId("code").value = "?";
  alone(store);
});
byId("skip").addEventListener("click", () => alone(skip));
for (const id of ["undo", "back"]) byId(id).addEventListener("click", () => alone(undo));
byId("code").addEventListener("input", () => {
  if (Date.now() - lent < RENEW) return;
  lent = Date.now();
  ask("lease", {}).catch(() => {}); // the same piece, for longer
});
addEventListener("keydown", (event) => {
  if (!byId("door").hidden || event.isComposing) return;
  const isUndo = event.key.toLowerCase() === "u" && !event.ctrlKey && !event.metaKey;
  const isOften = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
  if (isUndo || (isOften && !byId("code").value)) {
    event.preventDefault();
    alone(undo);
  } else if (event.key === "Escape" && piece) {
    event.preventDefault();
    alone(skip);
  }
});
addEventListener("resize", () => piece && fit(Math.max(piece.width, 1), Math.max(piece.height, 1)));

if (localStorage.getItem("who")) alone(next);
else openDoor(false);
