#!/bin/bash
# Records what the real iptables (1.8.9, nf_tables) answers. Run as root on Linux; needs iproute2, iptables, ipset.
#
#   record.sh FILE...     runs the commands of each file again and rewrites it with the answers
#
# A file holds commands (`$ COMMAND`, with `<<EOF` and its lines below) and below each what it printed: standard output,
# standard error with `! ` before each line, `[exit N]`. `== NAME` begins a new network namespace. In a file whose first
# line is `#rules`, every command gets a namespace of its own, and the rule that it added is shown three ways: as -S
# prints it (S), as -nvL does (N), as -L does (L).
set -u
export LC_ALL=C
ns=hwrec$$
tmp=$(mktemp -d)
trap 'ip netns del $ns 2>/dev/null; rm -rf "$tmp"' EXIT
fresh() { ip netns del $ns 2>/dev/null; ip netns add $ns && ip -n $ns link set lo up; }
in_ns() { ip netns exec $ns bash -c "$1"; }
answer() { # command, input file
    ip netns exec $ns bash -c "$1" >"$tmp/out" 2>"$tmp/err" <"$2"
    local rc=$?
    grep -v '^#' "$tmp/out"
    sed 's/^/! /' "$tmp/err"
    [ $rc -ne 0 ] && echo "[exit $rc]"
    return $rc
}
for file in "$@"; do
    rules=$(head -1 "$file" | grep -c '^#rules')
    fresh
    {
        body= end= cmd=
        while IFS= read -r line; do
            if [ -n "$end" ]; then
                echo "$line"
                if [ "$line" = "$end" ]; then
                    answer "$cmd" "$tmp/in"
                    end=
                else
                    printf '%s\n' "$line" >>"$tmp/in"
                fi
                continue
            fi
            case $line in
                '#'*) echo "$line" ;;
                '== '*) echo; echo "$line"; fresh ;;
                '$ '*'<<EOF')
                    echo "$line"
                    cmd=${line#\$ }; cmd=${cmd%<<EOF}
                    end=EOF; : >"$tmp/in" ;;
                '$ '*)
                    cmd=${line#\$ }
                    [ "$rules" = 1 ] && echo && in_ns "iptables -F; iptables -t nat -F; iptables -t mangle -F; iptables -t raw -F; iptables -t security -F; ip6tables -F; ip6tables -t nat -F; ip6tables -t mangle -F; ip6tables -t raw -F"
                    echo "$line"
                    if answer "$cmd" /dev/null && [ "$rules" = 1 ]; then
                        tool=${cmd%% *}; table=filter
                        [[ $cmd =~ \ -t\ ([a-z]+) ]] && table=${BASH_REMATCH[1]}
                        in_ns "$tool -t $table -S" | grep '^-A' | sed 's/^/S /'
                        in_ns "$tool -t $table -nvL" | grep -aE '^ +[0-9]' | sed 's/^/N /'
                        in_ns "$tool -t $table -L" | grep -avE '^(Chain|target|$)' | sed 's/^/L /'
                    fi ;;
            esac
        done <"$file"
    } >"$tmp/new"
    mv "$tmp/new" "$file"
done
