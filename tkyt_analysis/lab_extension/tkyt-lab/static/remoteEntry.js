// What settings cannot do: "copy to my work" in one click, the start page that runs by itself, a sentence when a kernel dies.
// Written by hand as a module-federation container, so that nothing has to be built. Words come from the page's configuration
// (tkyt_analysis/lab_settings.py).
(() => {
  let shared;

  const module = async name => {
    const versions = shared[name];
    return (await versions[Object.keys(versions)[0]].get())();
  };

  const load = async () => {
    const { PageConfig, PathExt } = await module('@jupyterlab/coreutils');
    const { IDocumentManager } = await module('@jupyterlab/docmanager');
    const { IFileBrowserFactory } = await module('@jupyterlab/filebrowser');
    const { NotebookActions } = await module('@jupyterlab/notebook');
    const { Notification, ToolbarButton } = await module('@jupyterlab/apputils');
    const { ITranslator } = await module('@jupyterlab/translation');
    const words = JSON.parse(PageConfig.getOption('tkyt'));
    const isOwn = path => path.split('/')[0] === words.mine;

    const style = document.createElement('style');
    style.textContent = '.tkyt-copy .jp-ToolbarButtonComponent { background: var(--jp-brand-color1) !important; border-radius: 2px }'
      + ' .tkyt-copy .jp-ToolbarButtonComponent-label { color: #fff !important; font-weight: 600; padding: 0 6px }';
    style.textContent += ' .tkyt-start .jp-CodeCell .jp-Cell-inputWrapper { display: none }'; // a page, not a program
    // Typefaces with every Vietnamese letter first: others put a mark beside its letter.
    style.textContent += ' body { --jp-code-font-family: "Noto Sans Mono", "DejaVu Sans Mono", Consolas, Menlo, monospace }';
    document.head.append(style);

    const activate = (app, documents, browsers) => {
      const copy = async path => {
        try {
          const made = await app.serviceManager.contents.copy(path, words.mine);
          documents.openOrReveal(made.path);
          Notification.success(words.copied.replace('{path}', made.path), { autoClose: 5000 });
        } catch (error) {
          Notification.error(error.message, { autoClose: false });
        }
      };

      const chosen = () => {
        const browser = browsers.tracker.currentWidget;
        const items = browser ? Array.from(browser.selectedItems()) : [];
        return items.filter(item => item.type !== 'directory' && !isOwn(item.path)).map(item => item.path);
      };
      app.commands.addCommand('tkyt:copy-to-my-work', {
        label: words.copy,
        isVisible: () => chosen().length > 0,
        execute: () => Promise.all(chosen().map(copy))
      });
      app.contextMenu.addItem({
        command: 'tkyt:copy-to-my-work',
        selector: '.jp-DirListing-item[data-isdir="false"]',
        rank: 0
      });

      const addButton = (panel, context) => {
        const button = new ToolbarButton({ label: words.copy, tooltip: words.copyHint, onClick: () => copy(context.path) });
        button.addClass('tkyt-copy');
        panel.toolbar.insertItem(0, 'tkyt-copy', button);
        return button;
      };

      const runStart = async (panel, context) => {
        await context.ready;
        await context.sessionContext.ready;
        if (context.sessionContext.session?.kernel) {
          await context.sessionContext.session.kernel.info;
          await NotebookActions.runAll(panel.content, context.sessionContext);
          panel.content.activeCellIndex = 0;
          await panel.content.scrollToItem(0);
          context.model.dirty = false; // nobody wrote anything that could be lost
        }
      };

      const sayDeath = context => {
        context.sessionContext.statusChanged.connect((_, status) => {
          if (status === 'autorestarting' || status === 'dead') {
            const text = words.died.replace('{name}', PathExt.basename(context.path));
            Notification.warning(text, { autoClose: false });
          }
        });
      };

      app.docRegistry.addWidgetExtension('Notebook', {
        createNew: (panel, context) => {
          sayDeath(context);
          if (context.path === words.start) {
            panel.addClass('tkyt-start');
            void runStart(panel, context);
          }
          return isOwn(context.path) ? undefined : addButton(panel, context);
        }
      });
    };

    // Words that the language pack leaves in English, before anything is shown in them.
    const translate = (app, translator) => {
      const [messages] = Object.values(translator.load('jupyterlab')._dictionary?.jupyterlab ?? {});
      for (const [message, translation] of Object.entries(messages ? words.interface : {})) {
        messages[message] = [translation];
      }
    };

    const translation = { id: 'tkyt-lab:words', autoStart: true, requires: [ITranslator], activate: translate };
    return { default: [translation, { id: 'tkyt-lab:work', autoStart: true, requires: [IDocumentManager, IFileBrowserFactory], activate }], __esModule: true };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['tkyt-lab'] = {
    init: scope => { shared = scope; },
    get: async () => { const module = await load(); return () => module; }
  };
})();
