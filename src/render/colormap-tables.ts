/**
 * Control points of the colour maps, six hex digits each, equally spaced; linear interpolation between them stays within 2/255 of the
 * full tables. viridis, magma, inferno: S. van der Walt & N. Smith (2015), dedicated to the public domain (CC0),
 * https://bids.github.io/colormap. diverging: the interpolation in Msh space of K. Moreland (2009), Advances in Visual Computing, 92,
 * doi:10.1007/978-3-642-10520-3_9, from sRGB (59, 76, 192) to (180, 4, 38). phase: a circle of constant lightness 0.72 and chroma 0.12
 * in Oklab, B. Ottosson (2020), for angles.
 */
export const controlPoints = {
  viridis:
    "440154470d6048186a482374472d7b4536814240863f49893b528b375a8d33638d2f6a8e2c728e297a8e26818e23898e21908c1f988b1f9f8821a68528ae8031b57b3ebc744cc26c5dc9636ece5882d34c96d83fabdc32c0df24d5e21aeae51afde725",
  magma:
    "0000040303110a0822130d331d114628115a36106a430f7650127c5d177f691c817621818226818f2a819c2e7fa9327db63779c33b75cf4170db486ae65163ee5c5ef5695cf9785dfb8761fd9668fea571feb47bfec387fed194fde0a2fceeb0fcfdbf",
  inferno:
    "0000040403120b0724150b37210c4a2e0a5a3c09654a0c6b57106d63146e70196e7d1e6d89226a962766a32b61af315cbb3755c63e4dd14644db4f3be35932eb6528f1711ef67f14f98d0afb9c06fcab0ffbba1ff9ca32f5d949f2e865f3f586fcffa4",
  diverging:
    "3b4cc0445acc4e68d75875e16282ea6c8ef1779af782a5fb8db0fe98b9ffa3c2ffaec9fdb8d0f9c2d5f4ccd9eed5dbe6dddddde5d8d1ecd3c6f1ccb9f5c4adf7bba0f7b194f7a687f49a7bf18d6fec7f63e57057de614cd55042cb3e38c0282fb40426",
  phase:
    "e68679e4896ae08e5bda934fd19846c79e41bba442adaa489daf538cb46079b76f65ba7f50bc9039bda024bcb014bbbf1bb9cc2fb6d845b2e25aade96da8ee7fa3f0909defa098ecaf93e5bc8fddc78bd2d188c5d985b8df84a8e38399e68489e68679",
  gray: "000000ffffff",
} as const;
