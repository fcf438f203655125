package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"os"
	"strconv"
)

// maxDataFile is the most that a file of weights may have: seven million lines or so.
const maxDataFile = 64 << 20

// dataFile reads the file that v names, from where the program was called.
func (v value) dataFile() (data []byte, sum string, err error) {
	path, err := v.word()
	if err != nil {
		return nil, "", err
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, "", v.errorf("%s is not a file", quote(path))
	}
	if err != nil {
		return nil, "", v.errorf("%w", bare(path, err))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", v.errorf("%w", bare(path, err))
	}
	defer f.Close()
	if data, err = io.ReadAll(io.LimitReader(f, maxDataFile+1)); err != nil {
		return nil, "", v.errorf("%w", bare(path, err))
	}
	if len(data) > maxDataFile {
		return nil, "", v.errorf("%s is longer than %s", quote(path), asSize(maxDataFile))
	}
	hash := sha256.Sum256(data)
	return data, hex.EncodeToString(hash[:]), nil
}

// setPopularity reads a weight from each line of a file. Empty lines and those that begin with # do not count.
func setPopularity(d *draft, v value) (string, error) {
	data, sum, err := v.dataFile()
	if err != nil {
		return "", err
	}
	var weights []float64
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := string(bytes.TrimSpace(line))
		if text == "" || text[0] == '#' {
			continue
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= 0) || math.IsInf(x, 0) {
			return "", v.errorf("%s, line %d: %.40q is not a weight; write a number from 0", v.text, number, text)
		}
		if n := len(weights); n > 0 && x > weights[n-1] {
			return "", v.errorf("%s, line %d: %g is more than the weight before it; the most popular key comes first",
				v.text, number, x)
		}
		weights = append(weights, x)
	}
	if len(weights) == 0 || weights[0] == 0 {
		return "", v.errorf("%s has no weight above 0", quote(v.text))
	}
	d.point.Workload.Popularity, d.point.Workload.Weights = sum, weights
	return v.text, nil
}
