// Ties the sheet, the service and what is shown together.

import { Sheet } from "/page/canvas.js";
import { Threshold } from "/page/curve.js";
import * as result from "/page/result.js";
import { offerTeaching } from "/page/teach.js";

const byId = (id) => document.getElementById(id);
const SPEAK_AFTER = 700; // milliseconds of rest, before what was read is said
const RETRY_AFTER = 2; // seconds, where the service cannot be reached

let page = null; // the service's last answer
let place = null; // where the picture that it read lies on the sheet
let chosen = 0;
let isAsking = false;
let isStale = false;
let speaking;

const sheet = new Sheet(byId("canvas"), changed);
const threshold = new Threshold(changed);

function changed() {
  byId("undo").disabled = byId("clear").disabled = sheet.isEmpty;
  byId("hint").hidden = !sheet.isEmpty;
  isStale = true;
  byId("corrected").textContent = "";
  if (!isAsking) ask();
}

// One request at a time: the next is sent when this one is answered, with what is drawn by then.
async function ask() {
  isAsking = true;
  while (isStale) {
    isStale = false;
    try {
      await readSheet();
    } catch (error) {
      tell(error.message);
      if (error instanceof Passing) await askAgainAfter(error.seconds);
    }
  }
  isAsking = false;
}

// What ends by itself: the page asks again after some seconds.
class Passing extends Error {
  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
  }
}

const unreachable = () => {
  throw new Passing("The service does not answer. The page keeps asking.", RETRY_AFTER);
};

async function askAgainAfter(seconds) {
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  isStale = true;
}

async function readSheet() {
  if (sheet.isEmpty) {
    show(null, null);
    return;
  }
  const content = await sheet.content();
  const query = new URLSearchParams({ reject_above: threshold.rejectAbove });
  const format = byId("format").value;
  if (format) query.set("format", format);
  if (format || !sheet.picture) query.set("fields", "one");
  const answer = await fetch(`/v1/look?${query}`, {
    method: "POST",
    headers: { "Content-Type": content.blob.type },
    body: content.blob,
  }).catch(unreachable);
  const wait = Number(answer.headers.get("Retry-After"));
  if (answer.status === 429) {
    await askAgainAfter(wait);
    return;
  }
  const told = await answer.json().catch(unreachable); // a gateway's page is no JSON
  if (wait) throw new Passing(told.detail, wait);
  if (!answer.ok) throw new Error(told.detail);
  if (!sheet.isEmpty) show(told, content.place);
}

function show(newPage, newPlace) {
  page = newPage;
  place = newPlace;
  const count = page ? result.digitsOf(page).length : 0;
  chosen = Math.min(Math.max(chosen, 0), Math.max(count - 1, 0));
  byId("problem").hidden = true;
  byId("model").textContent = page
    ? `Read by ${page.model} ${page.version} in ${page.milliseconds.toFixed(0)} ms.`
    : "";
  result.showText(page);
  showChosen();
  clearTimeout(speaking);
  speaking = setTimeout(() => (byId("live").textContent = result.spoken(page)), SPEAK_AFTER);
}

function showChosen() {
  const canvas = byId("canvas");
  result.showDigits(page, chosen, choose);
  result.showBoxes(page, place, chosen, canvas.clientHeight / canvas.clientWidth);
  result.showDigit(page, chosen);
}

function choose(number) {
  chosen = number;
  byId("corrected").textContent = "";
  showChosen();
  byId("digits").children[chosen]?.focus();
}

function tell(problem) {
  const told = byId("problem");
  if (!told.hidden && told.textContent === problem) return; // a screen reader has said it
  show(null, null);
  byId("decision").textContent = "";
  byId("problem").textContent = problem;
  byId("problem").hidden = false;
}

async function showPicture(file) {
  if (file) await sheet.show(file);
}

const firstPicture = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));

byId("undo").addEventListener("click", () => sheet.undo());
byId("clear").addEventListener("click", () => sheet.clear());
byId("format").addEventListener("change", changed);
for (const id of ["file", "camera"]) {
  byId(id).addEventListener("change", (event) => {
    showPicture(event.target.files[0]);
    event.target.value = "";
  });
}
addEventListener("paste", (event) => showPicture(firstPicture(event.clipboardData?.files)));
addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("paper").classList.add("over");
});
addEventListener("dragleave", () => byId("paper").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  byId("paper").classList.remove("over");
  showPicture(event.dataTransfer?.files[0]);
});
byId("digits").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const count = byId("digits").children.length;
  if (!step || !count) return;
  event.preventDefault();
  choose((chosen + step + count) % count);
});

// What not every service has.
async function offerFeatures() {
  const features = await (await fetch("/page/features.json")).json();
  byId("review").hidden = !features.includes("review");
  if (features.includes("corrections")) {
    await offerTeaching(() => page && result.digitsOf(page)[chosen]);
  }
}

result.makeBars();
show(null, null);
await Promise.all([threshold.load(), offerFeatures()]);
