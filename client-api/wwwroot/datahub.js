// Keeps an open page current: asks for the same page with its ETag, and puts what is new into what is there.
// Without this script the page works too; it is then loaded anew from time to time.
(() => {
  'use strict';

  const live = document.querySelector('[data-live]');
  if (!live) return;
  const period = Number(live.dataset.period);
  const longest = Math.max(30000, period);
  const clock = new Intl.DateTimeFormat(document.documentElement.lang === 'en' ? 'en-GB' : 'de-DE', { timeStyle: 'medium' });
  let etag = null, timer = 0, failures = 0, lastContact = new Date(), asking = null;

  function show(connected) {
    live.hidden = false;
    live.classList.toggle('off', !connected);
    const text = connected ? live.dataset.on : live.dataset.off.replace('{0}', clock.format(lastContact));
    if (live.textContent !== text) live.textContent = text;
  }

  async function ask() {
    if (asking) return;
    asking = new AbortController();
    const limit = setTimeout(() => asking.abort(), 10000);
    try {
      const headers = { Accept: 'text/html' };
      if (etag) headers['If-None-Match'] = etag;
      const answer = await fetch(location.href, { headers, cache: 'no-store', signal: asking.signal });
      if (answer.status === 404) { location.reload(); return; }
      if (answer.status !== 304) {
        if (!answer.ok) throw new Error('status ' + answer.status);
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        etag = answer.headers.get('ETag');
        const script = page.querySelector('script[src]');
        // A new version of the hub brings its own script and style: start afresh.
        if (!script || !document.querySelector(`script[src="${CSS.escape(script.getAttribute('src'))}"]`)) { location.reload(); return; }
        renew(document.querySelector('main'), page.querySelector('main'));
        document.title = page.title;
      }
      failures = 0;
      lastContact = new Date();
      show(true);
    } catch {
      // The reader is told, and it is tried again, less often the longer it lasts.
      failures++;
      if (failures > 1 || !navigator.onLine) show(false);
    } finally {
      clearTimeout(limit);
      asking = null;
      plan();
    }
  }

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, Math.min(longest, period * 2 ** Math.max(0, failures - 2)));
  }

  // Makes one element like another and keeps what did not change, so that focus, scrolling and open details stay.
  function renew(here, there) {
    const flashing = here.classList.contains('changed') ? ' changed' : '';
    for (const { name } of [...here.attributes]) {
      if (!there.hasAttribute(name) && !(name === 'open' && here.localName === 'details')) here.removeAttribute(name);
    }
    for (const { name, value } of [...there.attributes]) {
      const wanted = name === 'class' ? value + flashing : value;
      if (here.getAttribute(name) !== wanted) here.setAttribute(name, wanted);
    }
    if (here.hasAttribute('data-hint') || here.localName === 'select') return;
    if (here.hasAttribute('data-flash') && here.textContent !== there.textContent) flash(here);

    const known = new Map();
    for (const child of here.children) if (child.dataset.key !== undefined) known.set(child.dataset.key, child);
    let at = here.firstChild;
    for (const wanted of [...there.childNodes]) {
      const key = wanted.nodeType === Node.ELEMENT_NODE ? wanted.dataset.key : undefined;
      let node = at;
      if (key !== undefined) node = known.get(key) ?? null;
      else if (at?.dataset?.key !== undefined) node = null;
      if (node && node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName && (key !== undefined || node.id === wanted.id || !node.id)) {
        if (node !== at) here.insertBefore(node, at); else at = at.nextSibling;
        if (node.nodeType === Node.ELEMENT_NODE) renew(node, wanted);
        else if (node.data !== wanted.data) node.data = wanted.data;
      } else {
        here.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }

  function flash(element) {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    element.classList.remove('changed');
    void element.getBoundingClientRect();
    element.classList.add('changed');
    element.addEventListener('animationend', () => element.classList.remove('changed'), { once: true });
  }

  // What is under the pointer or has the focus stands in a line below its drawing.
  function hint(event) {
    const mark = event.target.closest?.('.areas a, .plot .at');
    const line = event.target.closest?.('section')?.querySelector('[data-hint]');
    if (!line) return;
    line.dataset.rest ??= line.textContent;
    line.textContent = mark?.querySelector('title')?.textContent ?? line.dataset.rest;
  }
  document.addEventListener('pointerover', hint);
  document.addEventListener('focusin', hint);

  // The chosen tile is in sight where the overview is a strip.
  const strip = document.querySelector('.tiles');
  const chosen = strip?.querySelector('[aria-current]');
  if (chosen && strip.scrollWidth > strip.clientWidth) strip.scrollLeft = chosen.offsetLeft - (strip.clientWidth - chosen.offsetWidth) / 2;

  document.addEventListener('visibilitychange', () => document.hidden ? clearTimeout(timer) : ask());
  addEventListener('online', ask);
  addEventListener('offline', () => show(false));
  show(true);
  plan();
})();
