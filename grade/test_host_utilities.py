"""The utilities of user/bin, built for the host under sanitizers, against the host's own.

Each case is a shell script. It runs twice in equal fresh folders, once with our utilities in front
of PATH, once without; output, exit status, whether there was a complaint, and what is in the
folder afterwards must be the same. Where the host's tools do something else on purpose, a second
table states what is expected.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = REPOSITORY / "user" / "bin"
COMPILER = shutil.which(os.environ.get("HOSTCC", "clang"))
FLAGS = [
    "-std=gnu11",
    "-g",
    "-O1",
    "-D_GNU_SOURCE",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
]
UTILITIES = """basename cat chmod cmp cp crash cut dd df diff dirname du find grep head hexdump ln ls
    mkdir mktemp mv pwd rm rmdir seq sha256sum sort stat tail tee touch tr uniq wc xargs yes""".split()
LIMIT = 30.0

pytestmark = [
    pytest.mark.fast,
    pytest.mark.skipif(COMPILER is None, reason="no clang"),
    pytest.mark.skipif(
        "GNU coreutils"
        not in subprocess.run(
            ["ls", "--version"], capture_output=True, text=True, check=False
        ).stdout,
        reason="the host's utilities are not GNU's",
    ),
]


# ---- Building ----------------------------------------------------------------------------------------


def sources_of(name: str) -> list[Path]:
    """As the Makefile has it: NAME.c and the files of the folder NAME."""
    return [SOURCES / f"{name}.c", *sorted((SOURCES / name).glob("*.c"))]


def build_utility(name: str, folder: Path) -> None:
    target = folder / name
    headers = [*SOURCES.glob("common/*.h"), *(SOURCES / name).glob("*.h")]
    newest = max(path.stat().st_mtime for path in [*sources_of(name), *headers])
    if target.exists() and target.stat().st_mtime > newest:
        return
    command = [COMPILER, *FLAGS, *map(str, sources_of(name)), "-o", str(target)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.fixture(scope="session")
def ours(request: pytest.FixtureRequest) -> Path:
    """The folder with our utilities. Parallel sessions wait for the one that builds."""
    folder = Path(request.config.getoption("--build")).resolve() / "host-utilities"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(lambda name: build_utility(name, folder), UTILITIES))
    return folder


# ---- Running -----------------------------------------------------------------------------------------


def fill(folder: Path) -> None:
    """The files that all cases may use. All have times of their own."""
    lines = "pear\napple\nFig\nbanana\napple\n\nfig\ncherry\nApple\npear\npear\n"
    files: dict[str, bytes] = {
        "numbers": b"".join(b"%d\n" % n for n in range(1, 101)),
        "words": lines.encode(),
        "runs": b"a\na\nb\nA\nc\nc\nc\nB\nb\n",
        "nonl": b"first\nsecond\nlast",
        "empty": b"",
        "newlines": b"\n\n\n",
        "binary": bytes(range(256)) * 40,
        "zeros": bytes(100_000),
        "long": b"x" * 200_000 + b" end\nshort\n" + b"y" * 70_000,
        "csv": b"id,name,size\n3,pear,10\n1,fig,9.5\n2,apple,-4\nplain\n10,date,9.25\n",
        "table": b"k2   x  30\nk1 yy 4\nk10 x 7\n k3 z 100\nk1 aa 4\n",
        "signed": b"-1\n10\n9\n-10\n0\n+5\n 7\n0.5\n.25\nabc\n-0\n007\n1e3\n",
        "text": b"The quick brown fox\njumps over the lazy dog.\n\nthe end, foo_bar foo-bar\nTHE LAST",
        "code": b"int main(void) {\n\treturn a[0] * (b + c) == '$';\n}\n^caret\n\\back\na.b\naxb\n",
        "a b": b"name with a blank\n",
        "-dash": b"name with a dash\n",
        "script": b"#!/bin/sh\n",
        "crlf": b"one\r\ntwo\r\n",
        "d/f1": b"one\ntwo\n",
        "d/f2": b"two\nthree\n",
        "d/sub/deep": b"one deep\n",
        "d/sub/more/leaf": b"leaf\n",
        "d/.hidden": b"hidden one\n",
        "e/f1": b"one\ntwo\n",
        "e/f2": b"two\n3\n",
        "e/only": b"x\n",
        "e/sub/deep": b"one deep\n",
    }
    for index, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_500_000_000, 1_600_000_000 + 1000 * index))
    (folder / "script").chmod(0o755)
    (folder / "d/f2").chmod(0o640)
    (folder / "hollow").mkdir()
    for link, target in {"link": "numbers", "dlink": "d", "broken": "nowhere"}.items():
        (folder / link).symlink_to(target)
    for index, name in enumerate(("d", "d/sub", "d/sub/more", "e", "e/sub", "hollow")):
        os.utime(folder / name, (1_500_000_000, 1_400_000_000 + 1000 * index))
    os.utime(folder, (1_300_000_000, 1_300_000_000))


@dataclass(frozen=True)
class Answer:
    output: bytes
    complaint: bytes
    status: int
    tree: dict[str, tuple[str, ...]]


def snapshot(folder: Path) -> dict[str, tuple[str, ...]]:
    """Each file: mode, links, and contents or target."""
    tree = {}
    for parent, directories, files in os.walk(folder):
        for name in directories + files:
            path = Path(parent, name)
            status = path.lstat()
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.md5(path.read_bytes()).hexdigest()
            links = "" if stat.S_ISDIR(status.st_mode) else str(status.st_nlink)
            tree[str(path.relative_to(folder))] = (oct(status.st_mode), links, content)
    return tree


def run(script: str, folder: Path, utilities: Path | None) -> Answer:
    """A script in a fresh folder. A sanitizer's report fails the test at once."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    fill(work)
    path = "/usr/bin:/bin" if utilities is None else f"{utilities}:/usr/bin:/bin"
    options = f"detect_leaks=0:log_path={folder}/sanitizer"
    environment = {
        "PATH": path,
        "LC_ALL": "C",
        "TZ": "UTC",
        "ASAN_OPTIONS": options,
        "UBSAN_OPTIONS": options,
    }
    answer = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=work,
        env=environment,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        umask=0o022,
    )
    reports = [report.read_text(errors="replace") for report in folder.glob("sanitizer*")]
    assert not reports, f"{script}\n{reports[0][:3000]}"
    return Answer(answer.stdout, answer.stderr, answer.returncode, snapshot(work))


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    yield tmp_path / "ours", tmp_path / "theirs"
    shutil.rmtree(tmp_path, ignore_errors=True)


# ---- The same as the host's --------------------------------------------------------------------------

CASES = r"""
# cat
cat numbers nonl empty
cat -n words nonl nonl
cat binary long
cat < words
cat - words < nonl
cat nosuch words
cat d
cat -- -dash
cat ./-dash "a b" link
cat -Q words
printf 'no newline' | cat -n
# head and tail
head numbers
head -n 3 numbers
head -3 numbers
head -n 0 numbers
head -n 1000 numbers
head -c 5 numbers
head -c 1K binary
head -c 0 words
head numbers words
head -q -n 1 numbers words
head -v -n 1 numbers
head nosuch words
head nonl
head -n 1 long
head -n x words
head -n 2 < numbers
(head -n 2 > /dev/null; cat) < numbers
seq 100000 | head -n 99999 | tail -n 1
tail numbers
tail -n 3 numbers
tail -3 numbers
tail -n +98 numbers
tail -n +0 numbers
tail -n +1000 numbers
tail -n 0 numbers
tail -n 1000 numbers
tail -c 5 numbers
tail -c +290 numbers
tail -c 1000 nonl
tail nonl
tail -n 1 nonl
tail -n 2 nonl
tail -n 1 newlines
tail -n 2 long | wc
tail -n 1 long | wc
tail numbers words
tail -q -n 1 numbers words
tail -v -n 1 words
tail nosuch numbers
tail -n 2 < numbers
seq 300000 | tail -n 3
seq 300000 | tail -n 100000 | sha256sum
seq 300000 | tail -c 1000000 | sha256sum
seq 300000 | tail -n +299998
seq 5 | tail -n 5
seq 5 | tail -n 4
printf 'a\nb' | tail -n 1
cat long | tail -n 1 | wc
cat zeros | tail -n 1 | wc -c
tail empty
cat empty | tail
# wc
wc numbers
wc -l numbers
wc -lw numbers words
wc -c long binary zeros
wc -lc binary
wc text empty nonl
wc < text
wc -l < numbers
wc -w - < text
wc nosuch text
cat text | wc
cat text | wc -c
# sort
sort words
sort -r words
sort -u words
sort -f words
sort -fu words
sort -n signed
sort -nr signed
sort -un signed
sort -s -n signed
sort numbers
sort -n -r numbers
sort -t , -k 1 csv
sort -t , -k 1n csv
sort -t , -k 1,1n csv
sort -t, -k2 csv
sort -t, -k 3n,3 -k 2 csv
sort -t, -k2.2,2.3 csv
sort -t, -k2.2b,2.3 csv
sort -k 2 table
sort -b -k 2 table
sort -k 2b,2 table
sort -k 3n table
sort -k1,1 -s table
sort -k1.2n table
sort -rk1,1 -k2 table
sort -k 2,2r -k 3,3n table
sort nonl words
sort < words
sort -o words words
sort -c words
sort -c numbers
sort -cn numbers
sort -cu -n numbers
sort -C words
sort nosuch
sort -k 0 words
sort -k x words
sort binary
sort long | wc
seq 20000 | sort | sha256sum
seq 20000 | sort -r | sort -n | sha256sum
seq 0 3 30000 | sort -k1.2 | sha256sum
sort empty
sort newlines
sort -t '' words
# uniq
uniq runs
uniq -c runs
uniq -d runs
uniq -u runs
uniq -i runs
uniq -ci runs
uniq -du runs
uniq -cd runs
uniq -f 1 table
uniq -s 1 runs
uniq -f 1 -s 2 table
uniq nonl
uniq < runs
uniq runs result
uniq nosuch
printf 'a\na' | uniq -c
printf 'a\0b\na\0b\n' | uniq -c
# cut
cut -b 1-3 words
cut -c 2 words
cut -b 2- words
cut -b -2 words
cut -b 1,3,5-6 text
cut -b 5,1-2,2-3 text
cut -b 3-,1 text
cut -d , -f 2 csv
cut -d, -f 1,3 csv
cut -d, -f 3,1 csv
cut -d, -f 2- csv
cut -d, -sf 2 csv
cut -d ' ' -f 2-3 table
cut -f 1 code
cut -d, -f 9 csv
cut -b 0 words
cut -b 3-2 words
cut -b x words
cut words
cut -d ab -f 1 words
cut -b 200000- long
cut -f 2 -d x nonl
cut -b 1 nosuch words
# tr
tr a-z A-Z < text
tr '[:lower:]' '[:upper:]' < text
tr -d aeiou < text
tr -d '\n' < numbers
tr -s a-z < words
tr -s '\n' < newlines
tr -cd '[:alnum:]\n' < code
tr -c '[:alnum:]' '[\n*]' < text
tr -cs 'a-zA-Z' '\n' < text
tr -ds aeiou '\n ' < text
tr abc x < words
tr a-c '[x*2]y' < words
tr abcd '[x*]y' < words
tr '\060-\071' '#' < numbers
tr '\\' / < code
tr -d '\000-\177' < binary | sha256sum
tr '\0' a < zeros | sha256sum
tr z-a x < words
tr a < words
tr -d a b < words
tr '[:nonsense:]' x < words
tr -s '[:space:]' ' ' < table
printf 'a-b' | tr a- +_
printf 'aab' | tr -s b-a x; true
# grep
grep apple words
grep -i apple words
grep -v apple words
grep -n apple words nonl
grep -c apple words nonl
grep -l apple words nonl text
grep -L apple words nonl text
grep -q apple words
grep -q nosuchword words
grep -h apple words words
grep -H apple words
grep -x apple words
grep -xv '' words
grep -w the text
grep -wi THE text
grep -w foo text
grep -F 'a.b' code
grep 'a.b' code
grep -F -e 'a[0]' -e '^caret' code
grep '^\^' code
grep '^' nonl
grep '$' newlines
grep -c '' empty
grep -c '' newlines
grep 'a\[0\]' code
grep -E '(quick|lazy) (brown|dog)' text
grep -E 'o{2}|x$' text
grep 'o\{2\}' text
grep -E '^(the|THE)' text
grep -E 'f(oo)+_' text
grep 'f\(oo\)*[-_]' text
grep '[[:upper:]]\{3,\}' text
grep '[^a-z ]' words text
grep '[]x]' code
grep '[a-]' text
grep -E '\<foo\>' text
grep '\bfoo\B' text
grep -o '[a-z]*' text
grep -on '[0-9]5' numbers
grep -oi the text
grep -o 'x*' words
grep -e apple -e fig words
printf 'apple\nfig\n' | grep -f - words
printf '' | grep -f - words
printf '\n' | grep -f - words
grep 'apple
fig' words
grep -m 2 a words
grep -r one d
grep -r one d e
grep -rn one
grep -rl one d
grep -rc one d
grep -rh leaf d
grep -r apple words
grep one d
grep one nosuch words
grep -s one nosuch words
grep -q apple words nosuch
grep apple < words
cat words | grep -H apple
grep -a -c . binary
grep x long | wc -c
grep end long | wc -c
grep -v zzz nonl
grep '\(' words
grep -E '(' words
grep '[' words
grep -E 'a{2,1}' words
grep '\' words
grep '[[:nonsense:]]' words
grep 'a*\|b' words
grep '*a' words
grep 'an*a' words
grep -E 'a|' words
grep -E '()' words
grep -E '^(a?){30}a{30}$' words
grep -E '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[x]' words
grep -E '((a*)*)*b' words
grep a{ words
grep -E 'a{' words
grep -E 'a{,3}n' words
grep
# find
find d | sort
find d -name 'f*' | sort
find d e -name f1 | sort
find . -name . -o -name d | sort
find d -type f | sort
find d -type d | sort
find . -type l | sort
find . -type l,d | sort
find d -maxdepth 1 | sort
find d -mindepth 2 | sort
find d -maxdepth 0
find d -path '*sub*' | sort
find . -size +100k | sort
find . -size 0 -type f | sort
find . -size -2 -type f | sort
find . -size 9c | sort
find . -empty | sort
find . -newer csv -type f | sort
find . -mtime -5 -name nosuch
find . -mtime +1000 -type f | sort
find d ! -name 'f*' | sort
find d -not -type d -a -name 'f*' | sort
find d \( -name f1 -o -name deep \) -print | sort
find d -name f1 -o -name f2 -print | sort
find d -name sub -prune -o -print | sort
find d -iname F1
find d -print0 | tr '\0' '\n' | sort
find d -depth -name 'sub' -o -name more -o -name leaf
find d -name leaf -exec cat {} \;
find d -type f -exec echo x{}y \; | sort
find d -name 'f?' -exec grep -q three {} \; -print
find d -type f -exec cat {} + | sort
find d -name nosuch -exec cat {} +
find d -delete
find d -name 'f*' -delete
find e -type f -name only -delete -print
find nosuch d -name f1
find -L . -name f1 | sort
find dlink
find -H dlink | sort
find d -name
find d -nosuchtest
find d -type x
find d -size x
find d \( -name x
find d -links 1 | sort
find d -false -o -true -name f1
find d -name f1 -quit
find d -exec
find . -maxdepth 1 -name '[a-c]*' | sort
find 'a b'
# ls
ls
ls -1
ls -a
ls -A d
ls d
ls d e
ls numbers d words
ls -d d
ls -d d numbers
ls nosuch
ls nosuch numbers
ls -R d
ls -R d e
ls -t d e
ls -tr
ls -S
ls -rS
ls -r
ls -p
ls -F
ls -F d
ls -ln d/f1 script numbers
ls -n d
ls -n dlink
ls -n dlink/
ls -n link broken
ls -nd d e
ls -nh long zeros empty binary
ls -nht
ls -nrS
ls -C -F | expand
COLUMNS=40 ls -C | expand
COLUMNS=20 ls -C | expand
COLUMNS=1 ls -C | expand
ls -nA d
ls -L broken link
ls -is numbers | tr -s ' ' | cut -d ' ' -f 2-
ls hollow
ls -n hollow
ls 'a b' ./-dash
ls -- -dash
mkdir 'x:'; touch 'x:/y'; ls 'x:' ; ls -n x:
# cp
cp numbers copy
cp numbers d
cp numbers words d
cp numbers nosuch/x
cp nosuch x
cp numbers words
cp numbers numbers
cp d x
cp -r d x
cp -r d hollow
cp -r d e hollow
cp -R d/ x
cp -r d/. hollow
cp -p script x
cp script x
cp link x
cp -P link x
cp broken x
cp -r broken x
cp -rL dlink x
cp -r dlink x
cp -r . hollow/y; rm -rf hollow
cp -r numbers d words hollow
cp numbers words
cp numbers words csv
cp -n numbers words
cp -v numbers words hollow
cp -rp d x; ls -n x x/sub | tr -s ' ' | cut -d ' ' -f 1,5-
cp d/f2 x; cp d/f2 e/f2
ln numbers hard; cp numbers hard
chmod 400 words; cp -f numbers words
cp -r d numbers
cp numbers d/; cp numbers d/x/
cp -a d x; find x | sort
cp
cp x
cp 'a b' 'c d'
cp ./-dash x; cp -- -dash y
cp -r hollow x; cp -r hollow x
cp binary copy && cmp binary copy
cp long copy && cmp long copy
# mv
mv numbers x
mv numbers d
mv numbers words d
mv numbers words
mv d x
mv d e
mv d hollow
mv e hollow; mv d hollow
mv numbers nosuch/x
mv nosuch x
mv d d/x
mv d numbers
mv numbers d numbers
mv numbers numbers
mv link x
mv broken x
mv -n numbers words
mv -v numbers x
mv 'a b' -- -dash hollow
mv d/ x
mv
mv x
mv numbers words csv
mkdir d/e; mv e d
mkdir d/e; touch d/e/x; mv e d
# rm
rm numbers
rm numbers words
rm nosuch
rm -f nosuch
rm nosuch numbers
rm d
rm -r d
rm -r d e
rm -rf d nosuch e
rm -d hollow
rm -d d
rm link broken dlink
rm -r dlink
rm -r .
rm -rf ..
rm -r d/..
rm -r d/.
rm
rm -f
rm -v numbers
rm -- -dash
rm 'a b'
rm -rv hollow
p=x; for i in 1 2 3 4 5; do p=$p/$p; done; mkdir -p x/y/z/a/b/c/d/e/f/g; rm -r x
yes y | rm -ri d
yes n | rm -i numbers
# ln
ln numbers x
ln -s numbers x
ln -s nowhere x
ln numbers words
ln -s numbers words
ln -sf numbers words
ln -f numbers words
ln nosuch x
ln -f nosuch words
ln d x
ln -s ../numbers hollow
ln -s a b c hollow
ln numbers words hollow
cd hollow; ln -s ../numbers
ln -sfn e dlink
ln -sf e dlink
ln -f numbers numbers
ln
ln -v numbers x
# mkdir and rmdir
mkdir x
mkdir x y
mkdir d
mkdir numbers
mkdir x/y
mkdir -p x/y/z
mkdir -p d/sub/new/er
mkdir -p d
mkdir -p numbers
mkdir -p numbers/x
mkdir -m 700 x
mkdir -m u=rwx,go= x
mkdir -m a=rx x
mkdir -m nonsense x
mkdir -p x//y///z/
mkdir -pm 700 x/y
mkdir -v x
mkdir
mkdir -p "$PWD/x/y"
rmdir hollow
rmdir hollow/
rmdir d
rmdir nosuch
rmdir numbers
mkdir -p x/y/z; rmdir -p x/y/z
mkdir -p x/y/z; touch x/t; rmdir -p x/y/z
mkdir -p x/y; rmdir -v x/y
# chmod
chmod 600 numbers
chmod 4755 script
chmod u+x numbers
chmod go-r numbers
chmod a=r numbers
chmod +x numbers
chmod -w numbers; chmod -- -r words
chmod u=rwx,go=rx numbers
chmod g=u numbers
chmod o=g-r,u+s script
chmod a+X numbers script d
chmod -R go-rwx d
chmod -R a+rX,u+w d
chmod u+t,o+t numbers
chmod g+s d; chmod 755 numbers
chmod = numbers; chmod u=rw numbers
chmod 999 numbers
chmod u+q numbers
chmod 600 nosuch numbers
chmod 600
chmod
umask 027; chmod = words; chmod =rwx numbers; chmod +w words
# touch
touch x
touch x y
touch -c x
touch nosuch/x
touch -d 2001-02-03 x && ls -n x
touch -d '2001-02-03 04:05:06' x && stat -c %y x
touch -d 2001-02-03T04:05:06Z x && stat -c %Y x
touch -d @1234567890 x && stat -c '%Y %X' x
touch -d nonsense x
touch -r csv x && stat -c '%Y %X' x
touch d && ls -d d
touch numbers && find . -maxdepth 1 -newer csv -name numbers
touch
# stat
stat -c '%n %s %F %a %A %h' numbers d link empty script
stat -c '%N' link broken numbers
stat -Lc '%n %s %F' link
stat -c '%y|%Y|%x|%X' csv d/f1
stat -c '%f %i %d %u %g %b %B %o' numbers | cut -d ' ' -f 1,4-
stat -c '%%%n' numbers
stat nosuch
stat -c %n nosuch numbers
stat -L broken
# du
du -b numbers
du -ab d | sort -k 2
du -sb d e
du -s d
du d | sort
du -a d | sort
du -d 1 -b d | sort
du -ch d/f1 d/f2
du -sh zeros long
du -b nosuch numbers
ln numbers n2; ln numbers n3; du -b numbers n2 n3
ln numbers d/n2; ln numbers d/n3; du -ab d | tail -n 1
du -sb link dlink
# dd
dd if=numbers of=x
dd if=numbers bs=10 count=3
dd if=numbers bs=10 skip=2 count=1
dd if=numbers bs=7 of=x seek=3
dd if=words of=numbers bs=5 seek=2 conv=notrunc
dd if=words of=numbers bs=5 seek=2
dd if=numbers bs=100 conv=sync of=x
dd if=numbers ibs=7 obs=50 of=x
dd if=binary bs=1k | sha256sum
dd if=zeros of=x bs=64k
dd if=numbers of=x bs=1 count=5 conv=fsync status=none
dd < numbers > x
cat numbers | dd bs=10 skip=1 count=1
dd if=nosuch
dd bs=0
dd nonsense=1
dd bs=x
dd conv=nonsense
dd if=numbers of=nosuch/x
dd if=numbers status=nonsense
# cmp
cmp numbers numbers
cmp numbers words
cmp numbers nosuch
cmp -s numbers words
cmp -l runs words | tr -d ' '
head -n 50 numbers > x; cmp x numbers
head -n 50 numbers > x; cmp -s numbers x
cmp empty numbers
cmp numbers - < numbers
cmp numbers < numbers
cmp
cmp zeros zeros
# diff
diff numbers numbers
diff -q numbers words
diff -q nonl nonl
diff -rq d e
diff -q d/f1 e
diff -q nosuch words
diff binary zeros
diff -sq nonl nonl
diff -rNq d e
# xargs
echo a b c | xargs
echo a b c | xargs -n 1
echo a b c | xargs -n 2 echo x
printf 'a b\nc d\n' | xargs -I % echo '<%>' '%%'
printf "a 'b c' \"d e\" f\\\\ g\n" | xargs -n 1
printf 'a\0b c\0' | xargs -0 -n 1
printf 'a:b c:d' | xargs -d : -n 1
printf '' | xargs echo empty
printf '' | xargs -r echo empty
printf '\n\n' | xargs echo empty
echo x | xargs false
echo x | xargs nosuchprogram
echo x | xargs sh -c 'exit 255'
echo x | xargs sh -c 'exit 7'
seq 20000 | xargs | wc -w
seq 10 | xargs -n 3 echo -
echo a b | xargs -t echo
echo "'unmatched" | xargs
echo a | xargs cat -
printf 'numbers\nwords\n' | xargs wc -l
find d -type f -print0 | xargs -0 cat | sort
seq 3 | xargs -I{} sh -c 'echo {}-{}'
printf 'a\\\nb\n' | xargs -n 1
printf '""\n' | xargs -n 1 echo x
# sha256sum
sha256sum numbers empty binary zeros
sha256sum < long
sha256sum nosuch numbers
sha256sum numbers words > sums; sha256sum -c sums
sha256sum numbers words > sums; echo x >> words; sha256sum -c sums
sha256sum numbers > sums; rm numbers; sha256sum -c sums
sha256sum -c words
for n in 55 56 57 63 64 65 119 120 127 128; do head -c $n zeros | sha256sum; done
# tee
echo x | tee y
echo x | tee y z
echo x | tee -a numbers
echo x | tee nosuch/x
cat binary | tee x | cmp - binary
cat long | tee x y | sha256sum
# seq
seq 5
seq 2 5
seq 1 2 10
seq 5 -1 1
seq 5 1
seq 0
seq -2 2
seq -s , 3
seq -w 8 11
seq -w -5 5
seq 0.5 0.25 2
seq 1 .5 3
seq -w 0.5 10
seq 1 0.1 1.5
seq 10 -2.5 0
seq 3 0 5
seq x
seq
seq 1 2 3 4
seq 9999999 10000001
seq -s '' 3
# basename and dirname
basename /usr/lib
basename lib
basename /usr/
basename /
basename //
basename a.c .c
basename .c .c
basename a.c c
basename -a /x/a /y/b
basename -s .c a.c b.c
basename ''
basename
basename a b c
dirname /usr/lib
dirname lib
dirname /usr/
dirname /
dirname a/b/c
dirname a//b
dirname //
dirname a/ /b
dirname ''
dirname
# others
yes | head -n 3
yes a b | head -n 2
yes | head -c 200000 | sha256sum
cd d && /usr/bin/env pwd | sed 's/.*work/work/'
mktemp -u x.XXXXXX | sed 's/......$//'
d=$(mktemp -d dir.XXXX) && stat -c '%a %F' $d && rmdir $d
f=$(mktemp file.XXX) && stat -c '%a %F' $f && rm $f
f=$(mktemp -p d) && echo ${#f} && rm $f
mktemp x.XX
mktemp nosuch/x.XXXXXX
mktemp -q nosuch/x.XXXXXX
hexdump -C nonl
hexdump -C binary
hexdump -C zeros
hexdump nonl
hexdump binary | tail -n 20
hexdump -v -C zeros | tail -n 3
hexdump -C -n 20 binary
hexdump -C -s 250 -n 20 binary
hexdump -C -s 2 -n 3 < nonl
hexdump -C empty
hexdump -C words nonl
hexdump -C nosuch
cat binary | hexdump -C -s 10238
"""


def table(text: str) -> list[str]:
    """One script per line; a line that continues a quoted string belongs to the line before."""
    scripts: list[str] = []
    for line in text.strip().splitlines():
        if (
            scripts
            and scripts[-1].replace("\\'", "").count("'") % 2 == 1
            and "\"'" not in scripts[-1]
        ):
            scripts[-1] += "\n" + line
        elif line and not line.startswith("#"):
            scripts.append(line)
    return scripts


@pytest.mark.parametrize("script", table(CASES))
def test_as_the_host_does(script: str, ours: Path, folders: tuple[Path, Path]) -> None:
    mine, theirs = run(script, folders[0], ours), run(script, folders[1], None)
    assert mine.output == theirs.output
    assert (mine.status, bool(mine.complaint)) == (
        theirs.status,
        bool(theirs.complaint),
    ), mine.complaint
    assert mine.tree == theirs.tree
