// What package os does with files, and the errors that it gives: in the folder that the first argument names.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// show prints the outcome of an operation: "ok", or the error's number and operation, without paths of the machine.
func show(what string, err error) {
	var number syscall.Errno
	switch {
	case err == nil:
		fmt.Println(what, "ok")
	case errors.As(err, &number):
		fmt.Printf("%s %s (exist %v, not exist %v, permission %v)\n", what, number.Error(),
			errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission))
	default:
		fmt.Println(what, "other:", err)
	}
}

func mode(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return "none"
	}
	return info.Mode().String()
}

func files() {
	show("write", os.WriteFile("a", []byte("hello"), 0o644))
	content, err := os.ReadFile("a")
	show("read "+string(content), err)
	_, err = os.ReadFile("missing")
	show("read missing", err)
	_, err = os.OpenFile("a", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	show("create again", err)
	file, err := os.OpenFile("a", os.O_RDWR|os.O_APPEND, 0)
	show("append", err)
	_, err = file.WriteString(" world")
	show("append", err)
	_, err = file.Seek(0, io.SeekStart)
	show("seek", err)
	data := make([]byte, 20)
	count, err := file.Read(data)
	show("read "+string(data[:count]), err)
	_, err = file.Read(data)
	fmt.Println("end", err)
	count, err = file.ReadAt(data[:3], 6)
	show("read at "+string(data[:count]), err)
	show("sync", file.Sync())
	show("truncate file", file.Truncate(4))
	info, err := file.Stat()
	show(fmt.Sprint("stat ", info.Size(), info.Mode(), info.IsDir(), info.Name()), err)
	show("close", file.Close())
	fmt.Println("close again", errors.Is(file.Close(), os.ErrClosed))
	show("truncate", os.Truncate("a", 2))
	content, _ = os.ReadFile("a")
	fmt.Println(string(content))
	show("truncate missing", os.Truncate("missing", 2))
	file, _ = os.Open("a")
	_, err = file.WriteString("x")
	show("write to reader", err)
	file.Close()
	_, err = os.Open("a/b")
	show("open below file", err)
	_, err = os.OpenFile(".", os.O_WRONLY, 0)
	show("open folder", err)
	_, err = os.Open(strings.Repeat("n", 300))
	show("long name", err)
	_, err = os.Open("a\x00b")
	show("nul", err)
}

func folders() {
	show("mkdir", os.Mkdir("d", 0o755))
	show("mkdir again", os.Mkdir("d", 0o755))
	show("mkdir below missing", os.Mkdir("x/y", 0o755))
	show("mkdirall", os.MkdirAll("d/e/f", 0o755))
	for _, name := range []string{"z", "m", "b"} {
		os.WriteFile(filepath.Join("d", name), nil, 0o644)
	}
	entries, err := os.ReadDir("d")
	show("readdir", err)
	for _, entry := range entries {
		fmt.Println(" ", entry.Name(), entry.IsDir(), entry.Type())
	}
	_, err = os.ReadDir("missing")
	show("readdir missing", err)
	_, err = os.ReadDir("a")
	show("readdir file", err)
	show("rename", os.Rename("d/z", "d/y"))
	show("rename missing", os.Rename("missing", "b"))
	show("rename folder over full one", os.Rename("d/e", "d"))
	show("remove full", os.Remove("d"))
	show("remove missing", os.Remove("missing"))
	show("removeall", os.RemoveAll("d"))
	show("removeall again", os.RemoveAll("d"))
	made, err := os.MkdirTemp(".", "made")
	show("mkdirtemp", err)
	show("rmdir", syscall.Rmdir(made))
	show("rmdir file", syscall.Rmdir("a"))
	show("unlink missing", syscall.Unlink("missing"))
}

func links() {
	show("symlink", os.Symlink("a", "to-a"))
	target, err := os.Readlink("to-a")
	show("readlink "+target, err)
	_, err = os.Readlink("a")
	show("readlink file", err)
	content, err := os.ReadFile("to-a")
	show("through "+string(content), err)
	show("symlink again", os.Symlink("a", "to-a"))
	show("symlink loop", os.Symlink("loop", "loop"))
	_, err = os.Stat("loop")
	show("stat loop", err)
	fmt.Println(mode("to-a")[:1], mode("loop")[:1])
	show("link", os.Link("a", "hard"))
	show("link missing", os.Link("missing", "hard2"))
	first, _ := os.Stat("a")
	second, _ := os.Stat("hard")
	fmt.Println("same", os.SameFile(first, second))
	show("symlink to nowhere", os.Symlink("nowhere", "broken"))
	_, err = os.Open("broken")
	show("open broken", err)
	for _, name := range []string{"to-a", "loop", "hard", "broken"} {
		show("remove "+name, os.Remove(name))
	}
}

func attributes() {
	show("chmod", os.Chmod("a", 0o600))
	fmt.Println(mode("a"))
	show("chmod missing", os.Chmod("missing", 0o600))
	file, _ := os.Open("a")
	show("fchmod", file.Chmod(0o640))
	file.Close()
	fmt.Println(mode("a"))
	old := syscall.Umask(0o077)
	os.WriteFile("masked", nil, 0o666)
	fmt.Println("umask", syscall.Umask(old) == 0o077, mode("masked"))
	os.Mkdir("masked-d", 0o777)
	fmt.Println(mode("masked-d"))
	os.RemoveAll("masked")
	os.RemoveAll("masked-d")
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	show("chtimes", os.Chtimes("a", when, when))
	info, _ := os.Stat("a")
	fmt.Println(info.ModTime().UTC())
	show("chtimes missing", os.Chtimes("missing", when, when))
	show("chown", os.Chown("a", -1, -1))
	show("chown missing", os.Chown("missing", -1, -1))
	show("lchown", os.Lchown("a", -1, -1))
}

func places() {
	start, err := os.Getwd()
	show("getwd", err)
	show("mkdir", os.MkdirAll("p/q", 0o755))
	show("chdir", os.Chdir("p"))
	now, _ := os.Getwd()
	fmt.Println(strings.TrimPrefix(now, start))
	show("chdir", os.Chdir("q/"))
	now, _ = os.Getwd()
	fmt.Println(strings.TrimPrefix(now, start))
	show("chdir", os.Chdir("../.."))
	now, _ = os.Getwd()
	fmt.Println(now == start)
	show("chdir missing", os.Chdir("missing"))
	show("chdir file", os.Chdir("a"))
	show("write", os.WriteFile("p/q/../../b", []byte("up"), 0o644))
	content, err := os.ReadFile(filepath.Join(start, "b"))
	show(string(content), err)
	absolute, err := filepath.Abs("p")
	show(strings.TrimPrefix(absolute, start), err)
	show("empty", os.Chdir(""))
	_, err = os.Stat("")
	show("empty", err)
	os.RemoveAll("p")
	os.Remove("b")
}

func many() {
	var opened []*os.File
	for n := range 40 {
		file, err := os.Create(fmt.Sprint("file", n))
		if err != nil {
			show("create", err)
			return
		}
		fmt.Fprint(file, n)
		opened = append(opened, file)
	}
	for n, file := range opened {
		file.Close()
		content, _ := os.ReadFile(file.Name())
		if string(content) != fmt.Sprint(n) {
			fmt.Println("wrong", n, string(content))
		}
		os.Remove(file.Name())
	}
	big := strings.Repeat("0123456789", 300_000)
	show("write big", os.WriteFile("big", []byte(big), 0o644))
	content, err := os.ReadFile("big")
	show(fmt.Sprint("read big ", string(content) == big), err)
	os.Remove("big")
}

func main() {
	if len(os.Args) > 2 && os.Args[2] == "getwd" {
		fmt.Println(os.Getwd())
		return
	}
	if len(os.Args) > 2 && os.Args[2] == "user" {
		groups, err := os.Getgroups()
		fmt.Println(os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid(), groups, err)
		return
	}
	show("chdir", os.Chdir(os.Args[1]))
	for _, part := range []func(){files, folders, links, attributes, places, many} {
		part()
	}
	entries, _ := os.ReadDir(".")
	fmt.Println(len(entries))
}
