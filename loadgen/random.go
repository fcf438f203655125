package loadgen

// Randomness here is one splitmix64 sequence (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
// OOPSLA 2014) that starts at a place chosen by the seed. Its n-th word is mix64(start + n·gamma), so any word can be
// had without the ones before. The sequence visits every 64-bit word exactly once; each client reads its own block of
// 2^40 words, so no two streams of a workload ever share one.
const gamma = 0x9e3779b97f4a7c15

const blockBits = 40

// Blocks beyond those of the clients.
const (
	arrivalBlock = 1<<24 - 1 - iota
	paddingBlock
	burstBlock
)

func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// words is the sequence of one seed.
type words uint64

func newWords(seed uint64) words { return words(mix64(seed + gamma)) }

// at returns word n of a block. Blocks end at 2^24, their words at 2^40.
func (w words) at(block uint32, n uint64) uint64 {
	return mix64(uint64(w) + (uint64(block)<<blockBits+n)*gamma)
}
