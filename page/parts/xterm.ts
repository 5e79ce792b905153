/** The terminal itself: loaded when the first one is opened. */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import css from "@xterm/xterm/css/xterm.css" with { type: "text" };

const THEME = { background: "#10191c", foreground: "#e4ecee", cursor: "#6cc5da", selectionBackground: "#2f5a66" };

let isPrepared = false;

/**
 * xterm.js styles itself by style elements and attributes, which the page's policy refuses as it would an intruder's. What
 * a script sets as style sheets and properties, it lets through.
 */
function prepare(): void {
  if (isPrepared) return;
  isPrepared = true;
  adopt().replaceSync(css);
  const create = document.createElement.bind(document) as (name: string) => HTMLElement;
  document.createElement = ((name: string) => {
    if (name === "style") return sheetIn(create("template")); // even an empty style element is refused
    const element = create(name);
    if (name === "span") attributeAsProperties(element);
    return element;
  }) as typeof document.createElement;
}

function adopt(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  return sheet;
}

/** What is set as the element's text becomes a style sheet, until the element is removed. */
function sheetIn(element: HTMLElement): HTMLElement {
  const sheet = adopt();
  const remove = element.remove.bind(element);
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    remove();
  };
  return element;
}

function attributeAsProperties(element: HTMLElement): void {
  const set = element.setAttribute.bind(element);
  element.setAttribute = (name, value) => {
    if (name === "style") element.style.cssText = value;
    else set(name, value);
  };
}

export type Screen = { terminal: Terminal; fit(): void };

/** Fills `box`. Links that a program prints are text: nothing opens by them. */
export function openScreen(box: HTMLElement): Screen {
  prepare();
  const terminal = new Terminal({
    cursorBlink: true,
    fontFamily: "ui-monospace, monospace",
    fontSize: 13,
    minimumContrastRatio: 4.5,
    scrollback: 5_000,
    theme: THEME,
    linkHandler: { activate: () => {} },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(box);
  fit.fit();
  return { terminal, fit: () => fit.fit() };
}
