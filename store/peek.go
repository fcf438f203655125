package store

// Peek is Get for a look that is no use: eviction does not learn of it. It is a pure read.
func (s *Shard) Peek(hash uint64, key []byte, now int64) (value []byte, ok bool) {
	r, _ := s.find(hash, key, noUse)
	if !r.exists() || r.expired(now) {
		return nil, false
	}
	return r.value(), true
}
