package topologies

import (
	"strconv"
	"sync"
	"testing"
)

func TestHTTPConditions(t *testing.T) {
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			_, c := openHTTP(t, v.config())
			httpConditions(t, c)
		})
	}
}

func httpConditions(t *testing.T, c *httpClient) {
	c.want(412, "PUT", "c", "v", "If-Match", "*")
	c.want(412, "DELETE", "c", "", "If-Match", "*")
	tag := c.want(201, "PUT", "c", "v", "If-None-Match", "*").header.Get("ETag")
	c.want(412, "PUT", "c", "w", "If-None-Match", "*")
	c.want(412, "PUT", "c", "w", "If-None-Match", tag)
	c.want(412, "PUT", "c", "w", "If-Match", `"other"`)
	c.want(412, "PUT", "c", "w", "If-Match", "W/"+tag)
	if a := c.want(304, "GET", "c", "", "If-None-Match", `"other", W/`+tag); a.body != "" || a.header.Get("ETag") != tag {
		t.Errorf("304: %+v", a)
	}
	c.want(304, "HEAD", "c", "", "If-None-Match", "*")
	c.want(200, "GET", "c", "", "If-None-Match", `"other"`)
	c.want(412, "GET", "c", "", "If-Match", `"other"`)
	c.want(204, "PUT", "c", "w", "If-Match", `"other", `+tag, "X-TTL", "50")
	if a := c.want(200, "GET", "c", ""); a.body != "w" || a.header.Get("X-TTL") == "" {
		t.Errorf("after a conditional PUT: %+v", a)
	}
	c.want(412, "DELETE", "c", "", "If-Match", tag)
	c.want(204, "DELETE", "c", "", "If-Match", "*")
	c.want(404, "DELETE", "c", "", "If-None-Match", `"x"`)
	c.want(201, "PUT", "c", "x", "If-None-Match", `"x"`)
	c.want(204, "DELETE", "c", "")
}

// Several clients count with If-Match: none of their increments is lost, whatever else changes the key meanwhile.
func TestHTTPConditionsAreAtomic(t *testing.T) {
	const clients, increments = 4, 25
	for _, v := range forms() {
		t.Run(v.String(), func(t *testing.T) {
			_, c := openHTTP(t, v.config())
			c.want(201, "PUT", "n", "0")
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for done := 0; done < increments; {
						a := c.do("GET", "n", "")
						n, _ := strconv.Atoi(a.body)
						switch a = c.do("PUT", "n", strconv.Itoa(n+1), "If-Match", a.header.Get("ETag")); a.code {
						case 204:
							done++
						case 412, 409:
						default:
							t.Errorf("%d %s", a.code, a.body)
							return
						}
					}
				})
			}
			all.Wait()
			if got := c.want(200, "GET", "n", "").body; got != strconv.Itoa(clients*increments) {
				t.Errorf("%s of %d increments", got, clients*increments)
			}
		})
	}
}

// Without transactions nothing conditional can be promised, and is not.
func TestHTTPConditionsNeedTransactions(t *testing.T) {
	_, c := openHTTP(t, Config{Topology: "shared", Transactions: "disabled"})
	tag := c.want(201, "PUT", "k", "v", "If-None-Match", "*").header.Get("ETag") // one command, SET NX, needs none
	c.want(501, "PUT", "k", "w", "If-Match", tag)
	c.want(501, "DELETE", "k", "", "If-Match", tag)
	if a := c.want(200, "GET", "k", "", "If-Match", tag); a.body != "v" {
		t.Errorf("GET: %+v", a)
	}
}
