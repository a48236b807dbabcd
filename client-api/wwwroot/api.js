// Shows, while something is typed, only the routes in which every word occurs; and opens the route that the address names.
// Without this script the search button asks the hub.
(() => {
  'use strict';

  const field = document.querySelector('[data-search]');
  const found = document.querySelector('[data-found]');
  const operations = [...document.querySelectorAll('[data-operation]')].map(element => ({ element, text: element.dataset.operation.toLowerCase() }));
  const total = operations.length;

  function search() {
    const words = field.value.toLowerCase().split(/\s+/).filter(word => word);
    let shown = 0;
    for (const { element, text } of operations) {
      element.hidden = !words.every(word => text.includes(word));
      if (!element.hidden) shown++;
    }
    for (const group of document.querySelectorAll('[data-group]')) group.hidden = !group.querySelector('[data-operation]:not([hidden])');
    found.textContent = found.dataset.text.replace('{0}', shown).replace('{1}', total);
  }

  function open() {
    const target = document.getElementById(location.hash.slice(1))?.closest('details');
    if (!target) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  }

  // What the hub found already stays until something else is typed.
  field.addEventListener('input', search);
  addEventListener('hashchange', open);
  open();
})();
