package command

// gather holds copies of keys whose number must be answered before them. Its room is kept for the next command, unless it is
// much.
type gather struct {
	bytes []byte
	ends  []int
}

func (g *gather) add(key []byte) {
	g.bytes = append(g.bytes, key...)
	g.ends = append(g.ends, len(g.bytes))
}

// write answers an array of what was gathered, and forgets it.
func (g *gather) write(x *Exec) {
	x.W.Array(len(g.ends))
	from := 0
	for _, end := range g.ends {
		x.W.Bulk(g.bytes[from:end])
		from = end
	}
	if cap(g.bytes) > 64<<10 || cap(g.ends) > 4<<10 {
		*g = gather{}
	}
	g.bytes, g.ends = g.bytes[:0], g.ends[:0]
}
