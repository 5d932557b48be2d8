// A picture that a cell draws gets the cell's alternative text, which stands in its metadata as
// "alt": JupyterLab's own renderer of pictures sets none, whatever the output says. It works on
// saved pictures and on new ones.
//
// JupyterLab takes an extension as a container of webpack's module federation ("Extension
// Developer Guide": prebuilt extensions). This one shares no modules, so it is written by hand.
(() => {
  const PICTURES = '.jp-OutputArea img:not([alt])';

  function cellOf(app, picture) {
    for (const panel of app.shell.widgets('main')) {
      if (panel.node.contains(picture)) {
        const cells = panel.content?.widgets ?? [];
        return cells.find(cell => cell.node.contains(picture));
      }
    }
  }

  function describe(app, pictures) {
    for (const picture of pictures) {
      const text = cellOf(app, picture)?.model?.getMetadata?.('alt');
      if (text) {
        picture.alt = text;
      }
    }
  }

  const plugin = {
    id: 'course-alternative-texts:plugin',
    description: 'Gives the pictures of a notebook the alternative texts of their cells.',
    autoStart: true,
    activate: app => {
      const all = () => describe(app, document.querySelectorAll(PICTURES));
      // Pictures come and go with their cells, which JupyterLab adds as the reader scrolls.
      new MutationObserver(changes => {
        if (changes.some(change => change.addedNodes.length > 0)) {
          all();
        }
      }).observe(document.body, { childList: true, subtree: true });
      app.restored.then(all);
    }
  };

  const name = 'course-alternative-texts';
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[name] = {
    init: () => undefined,
    get: async () => () => ({ __esModule: true, default: plugin })
  };
})();
