package store

import "testing"

func TestClasses(t *testing.T) {
	for size := 1; size <= cellMax; size++ {
		c := classOf(size)
		cell := cellSize(c)
		if cell < size || c > 0 && cellSize(c-1) >= size {
			t.Fatalf("%d bytes go to class %d of %d bytes", size, c, cell)
		}
		if waste := cell - size; waste >= 5 && waste*8 > size && size > cellMin {
			t.Fatalf("%d bytes in a cell of %d", size, cell)
		}
	}
	if c := classOf(cellMax); c != classCount-1 {
		t.Errorf("the largest cell is of class %d of %d", c, classCount)
	}
}

func TestPageSizes(t *testing.T) {
	for c := range classCount {
		for reserved := 0; reserved < 1<<20; {
			size, cells := pageSize(c, reserved)
			if cells < 1 || cells > pageCells || cells*cellSize(c) > size || size < pageMin || size > pageMax {
				t.Fatalf("class %d: page of %d bytes for %d cells of %d", c, size, cells, cellSize(c))
			}
			if size > cellMax && size%heapPage != 0 || size <= cellMax && size&(size-1) != 0 {
				t.Fatalf("class %d: page of %d bytes is no size of the Go heap", c, size)
			}
			if first, _ := pageSize(c, 0); size > max(first, reserved/8) {
				t.Fatalf("class %d: page of %d bytes on top of %d", c, size, reserved)
			}
			reserved += size
		}
		size, cells := pageSize(c, 1<<20)
		if waste := size - cells*cellSize(c); waste*8 > size {
			t.Errorf("class %d: %d of %d bytes of a full-size page are no cell's", c, waste, size)
		}
	}
}
