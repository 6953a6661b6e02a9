// requests makes HTTP requests in the ways that Go programs do.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

func main() {
	base, name := os.Args[1], os.Args[2]
	map[string]func(string){
		"headers":   headers,
		"redirects": redirects,
		"packed":    packed,
		"stream":    stream,
		"timeout":   timeout,
		"cancel":    cancel,
		"parallel":  parallel,
		"failures":  failures,
		"upload":    upload,
		"forever":   forever,
	}[name](base)
}

func text(res *http.Response, err error) string {
	if err != nil {
		return "failed: " + err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprint(res.StatusCode, " ", res.ContentLength, " ", len(body), " ", res.Uncompressed, " ", err)
}

func headers(base string) {
	req, _ := http.NewRequest("REPORT", base+"/echo", nil)
	req.Header.Add("X-Two", "1")
	req.Header.Add("X-Two", "2")
	req.Header.Set("js.fetch:redirect", "manual")
	req.Header.Set("js.fetch:mode", "cors")
	req.Header.Set("js.fetch:credentials", "omit")
	res, err := http.DefaultClient.Do(req)
	fmt.Println(text(res, err), res.Header.Get("X-Method"))
	fmt.Println(strings.Contains(res.Header.Get("X-Sent"), "js.fetch"), strings.Contains(res.Header.Get("X-Sent"), `["x-two", "2"]`))
	res, _ = http.Get(base + "/cookies")
	for _, cookie := range res.Cookies() {
		fmt.Println(cookie.Name, cookie.Value)
	}
	res, err = http.Head(base + "/big")
	fmt.Println(text(res, err))
}

func redirects(base string) {
	res, err := http.Get(base + "/count/3")
	fmt.Println(text(res, err), strings.TrimPrefix(res.Request.URL.String(), base))
	req, _ := http.NewRequest("GET", base+"/count/1", nil)
	req.Header.Set("js.fetch:redirect", "manual")
	res, err = (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	fmt.Println(text(res, err), res.Header.Get("Location"))
	fmt.Println(text(http.Get(base + "/count/21")))
	fmt.Println(text(http.Post(base+"/redirect/307?to=/echo", "text/plain", strings.NewReader("again"))))
}

func packed(base string) {
	fmt.Println(text(http.Get(base + "/packed/gzip")))
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(bytes.Repeat([]byte("x"), 100000))
	w.Close()
	length := buf.Len()
	res, err := http.Post(base+"/echo", "application/gzip", &buf)
	fmt.Println(err, res.ContentLength == int64(length))
	fmt.Println(text(http.Get(base + "/big")))
}

func stream(base string) {
	res, err := http.Get(base + "/stepwise")
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 100)
	for {
		n, err := res.Body.Read(buf)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(buf[:n]))
		// The server goes on when it is told so.
		http.Get(base + "/open")
	}
}

func timeout(base string) {
	client := &http.Client{Timeout: 50 * time.Millisecond}
	_, err := client.Get(base + "/silent")
	var timeout interface{ Timeout() bool }
	fmt.Println(errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded))
}

func cancel(base string) {
	ctx, stop := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, "GET", base+"/stalled", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	first, _ := bufio.NewReader(res.Body).ReadByte()
	fmt.Printf("%c\n", first)
	res.Body.Close()
	stop()
	_, err = res.Body.Read(make([]byte, 1))
	fmt.Println(err)
}

func parallel(base string) {
	var wg sync.WaitGroup
	found := make([]string, 100)
	for i := range found {
		wg.Add(1)
		go func() {
			defer wg.Done()
			res, err := http.Get(fmt.Sprint(base, "/hello?name=", i))
			if err != nil {
				found[i] = err.Error()
				return
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			found[i] = string(body)
		}()
	}
	wg.Wait()
	sort.Strings(found)
	fmt.Println(found[0], found[99], len(found))
}

func failures(base string) {
	for _, url := range []string{base + "/cut/length", base + "/garbage", base + "/status/404", "ftp://x/", "http://127.0.0.1:1/"} {
		fmt.Println(text(http.Get(url)))
	}
}

func upload(base string) {
	fmt.Println(text(http.Post(base+"/echo", "text/plain", strings.NewReader(strings.Repeat("0123456789", 1<<18)))))
}

func forever(base string) {
	http.Get(base + "/silent")
}
