/* The sha256 of a file, read piece by piece: the browser's own digest wants the whole file in memory, and exists only
   on pages that come by HTTPS. The steps are those of FIPS 180-4. */
(function () {
  "use strict";
  const PIECE = 1 << 20, BLOCK = 64;
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
  const W = new Int32Array(64);

  function mix(H, view, at) {
    for (let t = 0; t < 16; t++) W[t] = view.getInt32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = W[t - 15], y = W[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[t] = (W[t - 16] + s0 + W[t - 7] + s1) | 0;
    }
    let a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];
    for (let t = 0; t < 64; t++) {
      const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + S1 + ((e & f) ^ (~e & g)) + K[t] + W[t]) | 0;
      const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
  }

  /* The last bytes, a one, zeros up to a whole block, and the length in bits. */
  function ending(rest, bytes) {
    const size = Math.ceil((rest.length + 9) / BLOCK) * BLOCK, padded = new Uint8Array(size), view = new DataView(padded.buffer);
    padded.set(rest);
    padded[rest.length] = 0x80;
    view.setUint32(size - 8, Math.floor(bytes / 536870912));
    view.setUint32(size - 4, (bytes * 8) % 4294967296);
    return view;
  }

  /* `tell` hears how many bytes are read, and stops it by throwing. */
  window.atlasSha256 = async function (file, tell) {
    const H = START.slice();
    const whole = Math.floor(file.size / BLOCK) * BLOCK;
    for (let begin = 0; begin < whole; begin += PIECE) {
      const view = new DataView(await file.slice(begin, Math.min(begin + PIECE, whole)).arrayBuffer());
      for (let at = 0; at < view.byteLength; at += BLOCK) mix(H, view, at);
      tell(begin + view.byteLength);
    }
    const last = ending(new Uint8Array(await file.slice(whole).arrayBuffer()), file.size);
    for (let at = 0; at < last.byteLength; at += BLOCK) mix(H, last, at);
    return Array.from(H, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  };
})();
