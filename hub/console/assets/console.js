// The pages work without this. It puts times into the reader's words and zone, lets `/`
// search, and closes the origin of a value.

const SECOND = 1_000;
const MINUTE = 60_000;
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** What a reader calls an instant: seconds or minutes ago within the hour, else date and time. */
function spoken(instant) {
  const since = instant - Date.now();
  if (Math.abs(since) < MINUTE) {
    return ago.format(Math.round(since / SECOND), "second");
  }
  const minutes = Math.round(since / MINUTE);
  return Math.abs(minutes) < 60 ? ago.format(minutes, "minute") : clock.format(instant);
}

/** Every time below a node, once; what its source said stays in the title. */
function tell(node) {
  for (const time of node.querySelectorAll("time[datetime]:not([data-told])")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.getTime())) {
      time.textContent = spoken(instant);
      time.dataset.told = "";
    }
  }
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.getElementById("q");
    if (search) {
      event.preventDefault();
      search.select();
    }
  }
});
/** What an origin is asked from, so that who closes it is where they were. */
let asked = null;

/** Take an origin off the page again. */
function close(panel) {
  panel.replaceChildren();
  asked?.focus();
}

/** Say how to close what was fetched beside the page. */
function closable(panel) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "close quiet";
  button.textContent = "Close";
  button.addEventListener("click", () => close(panel));
  panel.prepend(button);
}

document.addEventListener("click", (event) => {
  asked = event.target.closest("a.value") ?? asked;
});
document.addEventListener("keydown", (event) => {
  const panel = document.getElementById("origin");
  if (event.key === "Escape" && panel?.querySelector(".close")) {
    close(panel);
  }
});
document.addEventListener("htmx:after:swap", () => {
  const panel = document.getElementById("origin");
  if (panel?.querySelector(".origin, .problem") && !panel.querySelector(".close")) {
    closable(panel);
  }
  tell(document);
});
tell(document);
