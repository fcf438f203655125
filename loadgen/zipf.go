package loadgen

import (
	"math"
	"sync"
)

// newZipfTable returns the table in which i has a probability in proportion to 1/(i+1)^s.
func newZipfTable(n int, s float64) aliasTable {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -s)
	}
	return newAliasTable(weights)
}

// lastZipf keeps the table used last: the arms of an experiment open one session after the other with the same
// workload, and a million keys take 60 ms to build. Tables are read-only, so sharing them is safe.
var lastZipf struct {
	sync.Mutex
	n     int
	s     float64
	table aliasTable
}

func zipfTable(n int, s float64) aliasTable {
	lastZipf.Lock()
	defer lastZipf.Unlock()
	if lastZipf.n != n || lastZipf.s != s {
		lastZipf.table = newZipfTable(n, s)
		lastZipf.n, lastZipf.s = n, s
	}
	return lastZipf.table
}
