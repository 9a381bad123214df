// Reduces a BGR picture to RGB, bit for bit as OpenCV's INTER_AREA and a swap of channels do.
//
// A pixel of the result is the mean of a cell of the picture, of which the outer pixels count in
// part. As in OpenCV (ResizeArea in modules/imgproc/src/resize.cpp), each row is reduced first, then
// the rows are added up, in floats and in the same order, so that every rounding is the same. Other
// than there, a row that two cells share is reduced once, and a pixel is one vector.
//
// It needs a little-endian CPU, the default rounding mode and -ffp-contract=off. Whoever loads it
// compares it with OpenCV first: see area.py.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Whether OpenCV, as its wheels are built, multiplies and adds with a single rounding.
#ifndef FUSED
#ifdef __aarch64__
#define FUSED 1
#else
#define FUSED 0
#endif
#endif

// Compiled for newer CPUs as well; which one is chosen when the library is loaded. They can read a
// word into all lanes at once. What it calls for each pixel is INLINED, to be compiled with it.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12
#define FOR_EACH_CPU __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FOR_EACH_CPU
#endif
#define INLINED static inline __attribute__((always_inline))

#define CHANNELS 3
#define TINY 1e-3  // what OpenCV leaves out: a part of a pixel that is not larger

// A pixel: blue, green, red, nothing. The bytes of a pixel are not moved to where they begin their
// lanes, but only singled out: green counts 256 times, red 65536 times what it is. That changes the
// exponents of all sums, and no rounding.
typedef float floats __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));
#define IN_PLACE (ints){0xff, 0xff00, 0xff0000, 0}
// In a float of this size the last bit counts 1: to add it is to round, halves to even.
#define ROUNDER 12582912.0f  // 1.5 * 2^23
#define ROUNDERS (floats){ROUNDER, ROUNDER * 0x100, ROUNDER * 0x10000, 0}

// The cells along one side. The i-th begins at pixel `first[i]`; the shares that its pixels have in
// it begin at `shares[i * stride]`, `count` of them: after those of smaller cells come zeros.
struct cells {
    size_t *first, stride, count;
    float *shares;
};

// Compute one cell of a side of `size` pixels; return how many pixels have a share in it.
static size_t share(size_t size, double factor, size_t i, size_t *first, float *shares) {
    double begin = (double)i * factor, end = begin + factor, left = (double)size - begin;
    double width = left < factor ? left : factor;
    size_t low = (size_t)begin, high = (size_t)end, count = 0;
    if ((double)low < begin) low++;
    if (high > size - 1) high = size - 1;
    if (low > high) low = high;
    *first = low;
    if ((double)low - begin > TINY) {
        *first = low - 1;
        shares[count++] = (float)(((double)low - begin) / width);
    }
    for (size_t whole = low; whole < high; whole++) shares[count++] = (float)(1.0 / width);
    double part = end - (double)high;
    if (part > TINY) {
        if (part > 1.0) part = 1.0;
        if (part > width) part = width;
        shares[count++] = (float)(part / width);
    }
    return count;
}

// Divide a side of `size` pixels into `count` cells; return whether there was memory for it.
static int divide(struct cells *cells, size_t size, size_t count) {
    double factor = 1.0 / ((double)count / (double)size);  // as OpenCV computes it
    cells->stride = (size_t)factor + 3;
    cells->first = calloc(count, sizeof *cells->first);
    cells->shares = calloc(count * cells->stride, sizeof *cells->shares);
    if (!cells->first || !cells->shares) return 0;
    for (size_t i = 0; i < count; i++) {
        float *shares = cells->shares + i * cells->stride;
        size_t found = share(size, factor, i, &cells->first[i], shares);
        if (found > cells->count) cells->count = found;
    }
    return 1;
}

INLINED floats add_product(floats sum, floats pixel, float share) {
#if FUSED
    for (int lane = 0; lane < 4; lane++)
        sum[lane] = __builtin_fmaf(pixel[lane], share, sum[lane]);
    return sum;
#else
    return sum + pixel * share;
#endif
}

// Reduce a row to `width` cells. It must go on for 3 * `count` + 1 bytes: what is read there has a
// share of 0, or none. `count` is that of `cells`, and known to the compiler where that is faster.
INLINED void reduce(const uint8_t *row, const struct cells *cells, size_t count, floats *reduced,
                    size_t width) {
    const float *shares = cells->shares;
    for (size_t x = 0; x < width; x++, shares += cells->stride) {
        const uint8_t *bytes = row + CHANNELS * cells->first[x];
        floats sum = {0};
        for (size_t i = 0; i < count; i++) {
            int32_t word;
            memcpy(&word, bytes + CHANNELS * i, sizeof word);
            ints pixel = (ints){word, word, word, word} & IN_PLACE;
            sum = add_product(sum, __builtin_convertvector(pixel, floats), shares[i]);
        }
        reduced[x] = sum;
    }
}

INLINED void reduce_row(const uint8_t *row, const struct cells *cells, floats *reduced,
                        size_t width) {
    switch (cells->count) {
        case 3: reduce(row, cells, 3, reduced, width); break;
        case 4: reduce(row, cells, 4, reduced, width); break;
        case 5: reduce(row, cells, 5, reduced, width); break;
        default: reduce(row, cells, cells->count, reduced, width);
    }
}

// Shares add up to 1, so no mean is above 255.
INLINED void store(const floats *sums, uint8_t *rgb, size_t width) {
    for (size_t x = 0; x < width; x++, rgb += CHANNELS) {
        ints rounded = (ints)(sums[x] + ROUNDERS);
        rgb[0] = (uint8_t)rounded[2];
        rgb[1] = (uint8_t)rounded[1];
        rgb[2] = (uint8_t)rounded[0];
    }
}

// Reduce `width` x `height` pixels of BGR to `to_width` x `to_height` of RGB, both without gaps.
// No size may be 0, none of the new ones larger than the old one. Return 0; or 1 if memory is short.
FOR_EACH_CPU
int npu_farm_area(const uint8_t *bgr, size_t width, size_t height, uint8_t *rgb, size_t to_width,
                  size_t to_height) {
    struct cells columns = {0}, rows = {0};
    floats *reduced = NULL, *sums = NULL;
    uint8_t *last = NULL;  // the last row: only what goes on after it is not the picture's
    size_t row_bytes = CHANNELS * width, at = height;  // the row that is in `reduced`; none yet
    int failed = 1;
    if (!divide(&columns, width, to_width) || !divide(&rows, height, to_height)) goto end;
    reduced = aligned_alloc(sizeof *reduced, to_width * sizeof *reduced);
    sums = aligned_alloc(sizeof *sums, to_width * sizeof *sums);
    last = calloc(row_bytes + CHANNELS * columns.count + 1, 1);
    if (!reduced || !sums || !last) goto end;
    memcpy(last, bgr + (height - 1) * row_bytes, row_bytes);
    for (size_t y = 0; y < to_height; y++, rgb += CHANNELS * to_width) {
        const float *shares = rows.shares + y * rows.stride;
        memset(sums, 0, to_width * sizeof *sums);
        for (size_t i = 0; i < rows.count && shares[i] > 0; i++) {
            size_t row = rows.first[y] + i;
            if (row != at) {
                const uint8_t *bytes = row < height - 1 ? bgr + row * row_bytes : last;
                reduce_row(bytes, &columns, reduced, to_width);
                at = row;
            }
            for (size_t x = 0; x < to_width; x++)
                sums[x] = add_product(sums[x], reduced[x], shares[i]);
        }
        store(sums, rgb, to_width);
    }
    failed = 0;
end:
    free(columns.first);
    free(columns.shares);
    free(rows.first);
    free(rows.shares);
    free(reduced);
    free(sums);
    free(last);
    return failed;
}
