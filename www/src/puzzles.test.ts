/// Each puzzle as somebody would first put it, in both languages: the lab that answers it must come first.
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLibrary } from "../pages/plugin.js";
import { Finder } from "./search.js";

const library = readLibrary(join(import.meta.dirname, "../../labs"));
const finder = new Finder(library.index.labs.map((lab) => ({ ...lab, title: library.stories.get(lab.name)!.title })));

const PUZZLES: [labs: string, en: string, zh: string][] = [
  ["redirect", "I redirect port 80 in PREROUTING, but the nat POSTROUTING counter never moves for the replies", "在 PREROUTING 里做了 REDIRECT，nat 表 POSTROUTING 的计数器对回包一直不动"],
  ["forward-dnat", "How does the reply get translated back when there is no rule for it?", "没有规则，回包的地址是怎么改回来的？"],
  ["hairpin", "From inside my LAN I cannot open my own public IP, it just hangs", "在内网访问自己的公网 IP，一直卡住"],
  ["dns-race", "DNS lookups in pods sometimes take exactly 5 seconds and insert_failed grows", "Pod 里解析域名偶尔正好要 5 秒，insert_failed 在涨"],
  ["udp-dead-backend", "UDP keeps going to a backend pod that no longer exists", "UDP 一直发往已经不存在的后端 Pod"],
  ["null-binding", "I added the MASQUERADE rule after the first packet and it is never applied to that connection", "首包先到，规则后加，这条连接一直不走 MASQUERADE"],
  ["rule-changed", "I deleted the DNAT rule but the open connection still goes to the old server", "DNAT 规则已经删了，旧连接还是去旧服务器"],
  ["input-drop", "The nat rule counted the SYN but conntrack -L shows nothing after INPUT dropped it", "nat 规则计了数，SYN 被 INPUT 丢了，conntrack -L 里什么也没有"],
  ["invalid-reply", "Client gets connection reset by peer because an out of window packet was INVALID and not translated", "窗口外的包被判为 INVALID，没有做转换，客户端收到 RST"],
  ["output-redirect", "My REDIRECT rule does not work for curl on the same machine", "REDIRECT 规则对本机自己的 curl 不起作用"],
  ["docker-ufw", "ufw denies the port but the published Docker container port is still open to the world", "ufw 已经拒绝这个端口，Docker 发布的端口还是能从外面访问"],
  ["published-port-localhost", "A published Docker port works from outside but not from localhost", "Docker 发布的端口外面能访问，本机 127.0.0.1 不通"],
  ["forward-policy-drop", "Since Docker was installed my LXD containers and libvirt VMs have no network, FORWARD policy DROP", "装了 Docker 之后，LXD 容器和 libvirt 虚拟机都没有网络"],
  ["translated-port", "I accepted the public port in FORWARD but the port forward is still blocked", "FORWARD 里放行了公网端口，端口转发还是不通"],
  ["asymmetric-path", "The reply goes back by another router and bypasses the NAT box", "回包走了另一台路由器，没有经过做 NAT 的机器"],
  ["table-full", "nf_conntrack: table full, dropping packet", "nf_conntrack: table full，连接跟踪表满了，开始丢包"],
  ["rp-filter", "Packets arrive in tcpdump but no iptables rule ever sees them, martian source", "tcpdump 看得到包，iptables 哪条规则都没计数，日志里有 martian source"],
  ["snat-exhaustion", "Connections time out now and then behind one NAT address, source ports exhausted", "一个 NAT 地址后面偶尔连接超时，源端口用光了"],
  ["masquerade-new-address", "My WAN address changed and the tunnel still uses the old source address", "WAN 地址换了，隧道还在用旧的源地址"],
  ["tcp-loose", "I flushed conntrack but the connection came right back as ESTABLISHED", "conntrack -F 清空了，连接马上又变成 ESTABLISHED"],
  ["pmtu-black-hole", "Small pages load, large downloads hang over the VPN, path MTU and blocked ICMP", "VPN 上小页面正常，大文件卡住，ICMP 被屏蔽，MTU 有问题"],
  ["pod-to-itself", "A pod cannot reach itself through its own service IP", "Pod 通过自己的 Service 访问自己不通"],
  ["notrack-or-return", "After I added NOTRACK the DNAT rule stopped working", "加了 NOTRACK 以后 DNAT 不起作用了"],
  ["time-wait-port", "A new SYN with a reused source port in TIME_WAIT takes one second", "源端口复用遇到 TIME_WAIT，新连接的 SYN 要等 1 秒重传"],
  ["ftp-helper", "Passive FTP stopped working, the helper is gone and RELATED no longer matches", "被动模式 FTP 连不上，helper 没有了，RELATED 不再命中"],
  ["idle-timeout", "An idle ssh session freezes after a while behind the firewall", "空闲一段时间后 ssh 会话就卡死"],
  ["conntrack-asleep", "conntrack -L is empty although there is traffic, no rules are loaded", "有流量，但没有任何规则，conntrack -L 是空的"],
  ["raw-invalid", "In the raw table --ctstate matches INVALID for every packet", "raw 表里 --ctstate INVALID 对所有包都命中"],
];

test("there are as many as the library says it answers", () => {
  const told = new Set(library.index.labs.flatMap((lab) => (lab as unknown as { puzzles: number[] }).puzzles));
  expect(PUZZLES.length).toBe(28);
  expect([...told].sort((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1));
});

test.each(PUZZLES.flatMap(([lab, en, zh]) => [[en, lab], [zh, lab]]))("%s", (asked, lab) => {
  const found = finder.find(asked!).slice(0, 3).map((l) => l.name);
  expect(found[0], found.join(", ")).toBe(lab);
});
