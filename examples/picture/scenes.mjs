// The pictures of the demo, drawn as scripts/fixtures/bag_model.py draws those that the model was trained with.

/** Width and height of the pictures. */
export const [WIDTH, HEIGHT] = [96, 64];

/** Standard deviation of the noise. */
const NOISE = 0.06;

/** A bag on a bright wall. */
export const bag = () =>
  scene({
    x: 46,
    y: 38,
    width: 28,
    height: 18,
    colour: [0.1, 0.45, 0.3],
    wall: [0.6, 0.48, 0.34],
    light: [0.25, 0.15],
  });

/** A smaller bag in the dark. */
export const darkBag = () =>
  scene({ x: 60, y: 42, width: 9, height: 8, colour: [0.5, 0.2, 0.1], wall: [0.1, 0.1, 0.15], light: [0.05, 0.05] });

/** A picture as numbers from 0 to 1, [HEIGHT, WIDTH, 3]: a bag with a handle before a wall, with noise, always the same. */
function scene({ x: cx, y: cy, width, height, colour, wall, light }) {
  const random = randomNumbers(1);
  const pixels = new Float32Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const isBody = Math.abs(x - cx) < width && Math.abs(y - cy) < height;
    const radius = Math.hypot((x - cx) / (0.7 * width), (y - cy + height) / (0.9 * height));
    const isHandle = radius > 0.75 && radius < 1.05 && y < cy;
    const shine = light[0] * (x / WIDTH) + light[1] * (y / HEIGHT);
    for (let channel = 0; channel < 3; channel++) {
      const clean = isBody || isHandle ? colour[channel] : wall[channel] + shine;
      pixels[3 * i + channel] = Math.min(1, Math.max(0, clean + NOISE * normal(random)));
    }
  }
  return pixels;
}

/** Nearly normal: the sum of twelve uniform numbers has the variance 1. */
function normal(random) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** Uniform numbers from 0 to 1 (Numerical Recipes' generator). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
