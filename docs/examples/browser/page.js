// The page: it starts a worker, asks it to freeze the program, and offers the snapshot as a file.
const element = (id) => document.getElementById(id);
let worker;
let task;

function run(message) {
  worker?.terminate();
  task = message;
  worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => hear[data.kind](data);
  // It could not be loaded at all.
  worker.onerror = ({ message }) => hear.failed({ reason: message || 'the worker does not load' });
  element('freeze').disabled = false;
  element('status').textContent = 'It runs.';
}

function end(text) {
  element('status').textContent = text;
  element('freeze').disabled = true;
}

const hear = {
  // What is sent to a worker while it loads its program is lost.
  ready() {
    worker.postMessage(task);
  },
  output({ text }) {
    element('output').textContent += text;
  },
  frozen({ snapshot, stablePoints }) {
    const link = Object.assign(document.createElement('a'), {
      href: URL.createObjectURL(new Blob([snapshot])),
      download: 'bc.mvvm.snap',
      textContent: 'bc.mvvm.snap',
    });
    element('status').replaceChildren(`Frozen after ${stablePoints} stable points: `, link);
    element('freeze').disabled = true;
  },
  ended() {
    end('It has ended.');
  },
  failed({ reason }) {
    end(`It has failed: ${reason}.`);
  },
};

element('start').onclick = () => {
  element('output').textContent = '';
  run({ kind: 'start', args: ['bc', '-g12', '-n10'] });
};
element('freeze').onclick = () => worker.postMessage({ kind: 'freeze' });
element('thaw').onchange = async ({ target }) => {
  const [file] = target.files;
  if (file !== undefined) run({ kind: 'thaw', snapshot: await file.arrayBuffer() });
};
