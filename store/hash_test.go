package store

import "testing"

func TestRoutingVectors(t *testing.T) {
	shards := []int{2, 4, 8, 16, 64}
	check := func(mode RouteMode, key string, route uint64, want ...int) {
		t.Helper()
		if h := mode.RouteHash([]byte(key)); h != route {
			t.Errorf("%v.RouteHash(%q) = %#x, want %#x", mode, key, h, route)
		}
		if h, r := mode.Hashes([]byte(key)); h != Hash([]byte(key)) || r != route {
			t.Errorf("%v.Hashes(%q) = %#x, %#x, want %#x, %#x", mode, key, h, r, Hash([]byte(key)), route)
		}
		if s := ShardOf(route, 1); s != 0 {
			t.Errorf("ShardOf(%q, 1) = %d", key, s)
		}
		for i, n := range shards {
			if s := ShardOf(route, n); s != want[i] {
				t.Errorf("ShardOf(%q, %d) = %d, want %d", key, n, s, want[i])
			}
		}
	}
	// From an independent implementation of XXH3.
	check(FullKey, "", 0x2d06800538d394c2, 1, 2, 4, 8, 32)
	check(FullKey, "a", 0xe6c632b61e964e1f, 0, 1, 3, 6, 24)
	check(FullKey, "key", 0xbbea0d63a05165e3, 1, 3, 7, 15, 61)
	check(FullKey, "hello", 0x9555e8555c62dcfd, 1, 2, 5, 10, 42)
	check(FullKey, "k:0000000000000000", 0xdde89aad5508cede, 1, 3, 7, 15, 61)
	check(FullKey, "k:0000000000000001", 0xfdfda7a1c5cac95c, 1, 3, 7, 15, 63)
	check(FullKey, "s:bench-session-0001", 0x28c74386ef1413c7, 0, 1, 3, 6, 24)
	check(FullKey, "s:bench-session-0001:c:0000000000000001", 0xc1d78a4b2513c075, 1, 3, 7, 14, 58)
	check(SessionPrefix, "s:bench-session-0001:c:0000000000000001", 0x28c74386ef1413c7, 0, 1, 3, 6, 24)
	check(SessionPrefix, "s:bench-session-0001", 0x28c74386ef1413c7, 0, 1, 3, 6, 24)
	check(SessionPrefix, "hello", 0x9555e8555c62dcfd, 1, 2, 5, 10, 42)
}

func TestSessionPrefix(t *testing.T) {
	check := func(key, routed string) {
		t.Helper()
		if got := SessionPrefix.RouteHash([]byte(key)); got != Hash([]byte(routed)) {
			t.Errorf("%q is not routed by %q", key, routed)
		}
	}
	check("", "")
	check("s", "s")
	check("s:", "s:")
	check("s:1:c:2", "s:1")
	check("s:1:c:2:c:3", "s:1:c:2") // the last ":c:" counts
	check("s:1:c:", "s:1")
	check("s:c:1", "s")
	check("s:1:c", "s:1:c")
	check("x:1:c:2", "x:1:c:2")
	check("S:1:c:2", "S:1:c:2")
}

func TestShardOfBounds(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 100, 1 << 20} {
		if s := ShardOf(1<<64-1, n); s < 0 || s >= max(n, 1) {
			t.Errorf("ShardOf(all ones, %d) = %d", n, s)
		}
	}
	if got, want := ShardOf(1<<64-1, 100), 63; got != want {
		t.Errorf("ShardOf(all ones, 100) = %d, want %d", got, want)
	}
}

func TestRouteModeNames(t *testing.T) {
	for _, m := range []RouteMode{FullKey, SessionPrefix} {
		if got, err := ParseRouteMode(m.String()); err != nil || got != m {
			t.Errorf("ParseRouteMode(%q) = %v, %v", m.String(), got, err)
		}
	}
	if _, err := ParseRouteMode("by_moon"); err == nil {
		t.Error(`ParseRouteMode("by_moon") takes it`)
	}
	if got := RouteMode(9).String(); got != "RouteMode(9)" {
		t.Errorf("String of an unknown mode = %q", got)
	}
}
