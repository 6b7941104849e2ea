// Lets the search work when the book is opened from a folder (file:). There a page may neither
// fetch the index nor start a worker, but it may load scripts: the index comes as a script
// (search/search_index.js, written by make-book), and the worker's script runs in a hidden frame.
(() => {
  if (location.protocol !== "file:") return;
  const base = new URL("..", document.currentScript.src);

  function loadScript(where, url) {
    return new Promise((resolve, reject) => {
      const script = where.createElement("script");
      script.src = new URL(url, base);
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${url} cannot be loaded`));
      where.head.append(script);
    });
  }

  window.__search = {
    index: loadScript(document, "search/search_index.js").then(() => window.__index),
  };

  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.ready = new Promise((resolve, reject) => {
        const start = () => {
          const frame = document.createElement("iframe");
          frame.hidden = true;
          document.body.append(frame);
          const inside = frame.contentWindow;
          inside.importScripts = async (...urls) => {
            for (const each of urls) await loadScript(inside.document, new URL(each, url));
          };
          inside.postMessage = (data) => {
            const event = new MessageEvent("message", { data });
            this.dispatchEvent(event);
            if (this.onmessage) this.onmessage(event);
          };
          this.inside = inside;
          loadScript(inside.document, url).then(resolve, reject);
        };
        if (document.body) start();
        else addEventListener("DOMContentLoaded", start);
      });
    }

    postMessage(data) {
      this.ready.then(() => {
        this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }));
      });
    }

    terminate() {}
  };
})();
