// A run from a seed: the digits, the order they come in, what is measured. No page is needed.

// The digits are packed with one of three grey levels for each pixel, as two questions (more than
// background? full ink?), by an arithmetic coder that learns the answers' odds from the pixels
// around: tools/export_page_digits.py packs them, and says more. Gives lists of 784 levels.
const AROUND = [[0, -1], [-1, 0], [-1, 1], [-1, -1], [0, -2], [-1, 2], [-2, 0], [-1, -2], [-2, 1], [-2, -1]];

const unpackDigits = (text, count) => {
  const code = bytes(text), odds = [new Map(), new Map()], wide = SIDE + 4;
  const around = AROUND.map(([row, column]) => row * wide + column);
  let at = 4, low = 0, high = 2 ** 32 - 1, now = ((code[0] * 256 + code[1]) * 256 + code[2]) * 256 + code[3];
  const answer = (question, context) => {
    let seen = odds[question].get(context);
    if (!seen) odds[question].set(context, (seen = [0.4, 0.4]));
    const middle = low + Math.floor((high - low) * (seen[1] / (seen[0] + seen[1])));
    const yes = now <= middle ? 1 : 0;
    if (yes) high = middle;
    else low = middle + 1;
    while (low >>> 24 === high >>> 24) {
      low = (low << 8) >>> 0;
      high = ((high << 8) | 255) >>> 0;
      now = ((now << 8) | (code[at++] ?? 0)) >>> 0;
    }
    seen[yes]++;
    return yes;
  };
  return Array.from({ length: count }, () => {
    const levels = new Uint8Array((SIDE + 2) * wide);
    const digit = new Uint8Array(SIDE * SIDE);
    for (let i = 0; i < SIDE; i++)
      for (let j = 0; j < SIDE; j++) {
        const here = (i + 2) * wide + j + 2;
        let context = 0;
        for (let n = 0; n < 10; n++) {
          const level = levels[here + around[n]];
          context = n < 4 ? 3 * context + level : 2 * context + (level >> 1);
        }
        if (answer(0, context)) levels[here] = 1 + answer(1, context);
        digit[i * SIDE + j] = levels[here];
      }
    return digit;
  });
};

// `train` and `validation` are lists of [784 normalised pixels, label]; loss and accuracy are
// measured after each `every` images. `settings` may change at any time: the next step obeys them.
const makeRun = ({ train, validation, every }, settings) => {
  const learner = makeLearner(), gradients = zeros(), moved = new Float64Array(SIDE * SIDE);
  // `isWhole` while no step and no measurement is half done; `failed` says "infinite" or "dead".
  const run = { settings };
  let random, speeds, work, sum, images;

  const measure = function* () {
    let loss = 0, right = 0, first, isDead = true;
    for (const [x, label] of validation) {
      loss += learner.loss(run.weights, x, label) / validation.length;
      right += learner.read === label;
      first ??= learner.scores.slice();
      isDead &&= learner.scores.every((v, k) => v === first[k]);
      yield;
    }
    if (!Number.isFinite(loss)) return void (run.failed = "infinite");
    const point = { step: run.step, seen: run.seen, loss: images ? sum / images : null,
      validation: loss, accuracy: right / validation.length };
    run.points.push(point);
    sum = images = 0;
    if (isDead) return void (run.failed = "dead");
    run.last = { point, weights: run.weights.map((w) => w.slice()) };
    if (!run.best || loss < run.best.point.validation) run.best = run.last;
  };
  // Pauses after each image, so that a page can stay alive meanwhile.
  const learn = function* () {
    yield* measure();
    run.isWhole = true;
    yield;
    for (;;) {
      const order = train.map((_, k) => k);
      for (let k = order.length - 1; k; k--) {
        const other = Math.floor(random() * (k + 1));
        [order[k], order[other]] = [order[other], order[k]];
      }
      for (let at = 0; at < order.length; ) {
        const { rate, momentum, batch, shift } = run.settings;
        const chosen = order.slice(at, at + batch);
        let loss = 0;
        run.isWhole = false;
        for (const k of chosen) {
          let [x, label] = train[k];
          if (shift) {
            const [down, right] = [0, 1].map(() => Math.floor(random() * (2 * shift + 1)) - shift);
            move(x, down, right, moved);
            x = moved;
          }
          loss += learner.loss(run.weights, x, label);
          learner.back(run.weights, x, label, 1 / chosen.length, gradients);
          yield;
        }
        takeStep(run.weights, speeds, gradients, rate, momentum);
        run.step++;
        at += chosen.length;
        run.seen += chosen.length;
        sum += loss;
        images += chosen.length;
        if (!Number.isFinite(loss)) run.failed = "infinite";
        else if (Math.floor(run.seen / every) > Math.floor((run.seen - chosen.length) / every)) yield* measure();
        run.isWhole = true;
        yield;
      }
    }
  };
  run.rewind = (seed) => {
    random = makeRandom(seed);
    run.weights = newWeights(random);
    Object.assign(run, { seed, first: run.weights[0].slice(), step: 0, seen: 0, points: [], best: null, failed: "" });
    speeds = zeros();
    gradients.forEach((g) => g.fill(0));
    sum = images = 0;
    work = learn();
    run.isWhole = false;
    while (!run.isWhole) run.work();
  };
  // A little of the work: one image.
  run.work = () => work.next();
  // Takes back weights that were kept, run.last or run.best, without momentum.
  run.restore = ({ weights }) => {
    run.weights.forEach((w, n) => w.set(weights[n]));
    speeds.forEach((v) => v.fill(0));
    run.failed = "";
    sum = images = 0;
  };
  // The mean gradient over these images of the training part, one list for each of SHAPES.
  run.gradientsOf = (numbers) => {
    const sums = zeros();
    for (const k of numbers) {
      learner.loss(run.weights, ...train[k]);
      learner.back(run.weights, ...train[k], 1 / numbers.length, sums);
    }
    return sums;
  };
  run.read = (x) => {
    learner.loss(run.weights, x, 0);
    return learner.read;
  };
  return run;
};
