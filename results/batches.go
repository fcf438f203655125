package results

import "github.com/HdrHistogram/hdrhistogram-go"

// maxBatches bounds the memory: 64 histograms of 216 KiB.
const maxBatches = 64

// Batches is the latencies of a long measurement in stretches of equal length, in time: what belongs together, such as those of one
// stall, is mostly in one of them. When there would be too many, neighbours become one. The zero Batches is empty.
type Batches struct {
	hists []*hdrhistogram.Histogram
	span  int // how many histograms each is of
	last  int // how many the last one is of
}

// Add takes the histogram of the next stretch of time, and keeps it.
func (b *Batches) Add(h *hdrhistogram.Histogram) {
	if b.span == 0 {
		b.span = 1
	}
	if n := len(b.hists); n > 0 && b.last < b.span {
		b.hists[n-1].Merge(h)
		b.last++
		return
	}
	if len(b.hists) == maxBatches {
		for i := range maxBatches / 2 {
			b.hists[2*i].Merge(b.hists[2*i+1])
			b.hists[i] = b.hists[2*i]
		}
		clear(b.hists[maxBatches/2:])
		b.hists, b.span = b.hists[:maxBatches/2], 2*b.span
	}
	b.hists, b.last = append(b.hists, h), 1
}

// AddLast takes what belongs to the last stretch.
func (b *Batches) AddLast(h *hdrhistogram.Histogram) {
	if n := len(b.hists); n > 0 {
		b.hists[n-1].Merge(h)
		return
	}
	b.Add(h)
}

// Whole are those of full length.
func (b *Batches) Whole() []*hdrhistogram.Histogram {
	if b.last < b.span && len(b.hists) > 0 {
		return b.hists[:len(b.hists)-1]
	}
	return b.hists
}
