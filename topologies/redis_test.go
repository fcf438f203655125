package topologies

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// againstRedis holds our replies against redis-server's.
func againstRedis(t *testing.T, requests [][]string) {
	t.Helper()
	requests = append([][]string{{"FLUSHALL"}}, requests...)
	want := conversation(t, startRedis(t), requests, 1)
	mustAgree(t, requests, conversation(t, open(t, Config{Topology: "thread-local"}).Addr().String(), requests, 1), want, "redis-server")
}

func corpus(short int) int {
	if *long {
		return 50 * short
	}
	return short
}

// TestFloatsAgree: INCRBYFLOAT on numbers of every size and spelling, in the long doubles that Redis uses.
func TestFloatsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	number := func() string {
		s := strconv.FormatFloat(rng.NormFloat64(), "efg"[rng.IntN(3)], rng.IntN(22)-1, 64)
		switch rng.IntN(8) {
		case 0:
			digits := make([]byte, 1+rng.IntN(60))
			for i := range digits {
				digits[i] = byte('0' + rng.IntN(10))
			}
			digits[rng.IntN(len(digits))] = '.'
			return string(digits)
		case 1:
			return fmt.Sprintf("%s%d", strings.Split(s, "e")[0]+"e", rng.IntN(10000)-5000)
		case 2:
			return fmt.Sprintf("%s%d", strings.Split(s, "e")[0]+"E", rng.IntN(60)-30)
		case 3:
			return fmt.Sprintf("0x%x.%xp%d", rng.IntN(1<<20), rng.Uint64(), rng.IntN(200)-100)
		case 4:
			return strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10)
		case 5: // nearly a number
			b := []byte(s)
			b[rng.IntN(len(b))] = "+-.eEx 0na"[rng.IntN(10)]
			return string(b)
		}
		return s
	}
	var requests [][]string
	for range corpus(4000) {
		requests = append(requests, []string{"SET", "k", number()}, []string{"INCRBYFLOAT", "k", number()}, []string{"INCRBYFLOAT", "k", number()})
	}
	againstRedis(t, requests)
}

// TestPatternsAgree: KEYS on patterns and keys made of what patterns are made of.
func TestPatternsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	word := func(letters string, n int) string {
		b := make([]byte, rng.IntN(n))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return string(b)
	}
	var requests [][]string
	for range 200 {
		requests = append(requests, []string{"SET", word("abcB-^]\\[*\x80\xff", 6), "v"})
	}
	for range corpus(4000) {
		requests = append(requests, []string{"KEYS", word("abcB-^]\\[[**??\x80\xff", 9)})
	}
	againstRedis(t, requests)
}

// A scan shows each key that is there all the time, though the keyspace grows and shrinks meanwhile, and only keys.
func TestScan(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			c := dial(t, v.open(t).Addr().String())
			const stay = 400
			for i := range stay {
				c.ask("SET", fmt.Sprintf("stay:%d", i), "v")
			}
			seen, cursor, n := map[string]bool{}, "0", 0
			for turn := 0; turn == 0 || cursor != "0"; turn++ {
				words := elements(c.ask("SCAN", cursor, "COUNT", "20"))
				cursor = bulk(t, words[0])
				for _, key := range elements(words[1]) {
					seen[bulk(t, key)] = true
				}
				for range 20 { // as many come as there are, then go
					if n++; turn < 30 {
						c.ask("SET", fmt.Sprintf("come:%d", n), "v")
					} else {
						c.ask("DEL", fmt.Sprintf("come:%d", n-600))
					}
				}
			}
			for i := range stay {
				if !seen[fmt.Sprintf("stay:%d", i)] {
					t.Errorf("stay:%d was not shown", i)
				}
			}
			for key := range seen {
				if !strings.HasPrefix(key, "stay:") && !strings.HasPrefix(key, "come:") {
					t.Errorf("shown: %q", key)
				}
			}
		})
	}
}
