/** The systemd unit: a template, an instance per name, with as little as the program can do its work with. */

/** What of it depends on the machine. */
export interface UnitPlace {
  /** Absolute path of the command. */
  readonly program: string;
  /** Absolute path of docs/service.md. */
  readonly document: string;
}

/** Name of the template's file. */
export const UNIT_FILE = 'tunnelscope@.service';

/** What metering needs, each of them: loading programs, attaching them, and the verifier's leave to compare pointers. */
export const UNIT_CAPABILITIES = ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'] as const;

/** The template. `%i` is the name of the instance. */
export function formatUnit({ program, document }: UnitPlace): string {
  const command = quote(program);
  return `# Written by "tunnelscope install-service"; changes belong into a drop-in: systemctl edit tunnelscope@NAME
[Unit]
Description=Tunnelscope: who talks to whom, inside and outside the tunnels (%i)
Documentation=file:${document.replaceAll('%', '%%').replaceAll(' ', '%20')}
After=network.target

[Service]
# It has started when it meters, which systemd-notify (a child) says.
Type=notify
NotifyAccess=all
ExecStart=${command} start %i --config /etc/tunnelscope/%i.yaml
ExecReload=${command} reload %i
Environment=NODE_COMPILE_CACHE=%C/tunnelscope
# A last drain, then all is written and closed.
KillMode=mixed
TimeoutStopSec=30
TimeoutStartSec=120
Restart=on-failure
RestartSec=5
# A wrong configuration and a machine that lacks something are not better in five seconds.
RestartPreventExitStatus=2 3

ConfigurationDirectory=tunnelscope
RuntimeDirectory=tunnelscope
RuntimeDirectoryMode=0750
# The sockets of the other instances are in it.
RuntimeDirectoryPreserve=yes
LogsDirectory=tunnelscope
LogsDirectoryMode=0750
StateDirectory=tunnelscope
CacheDirectory=tunnelscope
UMask=0027

# Root by name, to own these directories, but with no more than this of root's power.
CapabilityBoundingSet=${UNIT_CAPABILITIES.join(' ')}
AmbientCapabilities=
NoNewPrivileges=yes

ProtectSystem=strict
ProtectHome=${protectHome(program)}
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
KeyringMode=private
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# bpf for the meter; @pkey because V8 guards its compiled code with them. No MemoryDenyWriteExecute: V8 compiles.
SystemCallFilter=@system-service @pkey bpf
SystemCallErrorNumber=EPERM

# Before Linux 5.11 BPF maps count as locked memory.
LimitMEMLOCK=infinity
LimitCORE=0
LimitNOFILE=8192
MemoryHigh=768M
MemoryMax=1G
TasksMax=128

[Install]
WantedBy=multi-user.target
`;
}

/** What the configuration of one instance asks for beyond the template. */
export interface UnitNeeds {
  /** It enters a network namespace. */
  readonly entersNamespace: boolean;
  /** Directories it writes to. */
  readonly writes: readonly string[];
  readonly group: string | undefined;
}

/** Directories that every instance may write to. */
const WRITABLE = ['/var/lib/tunnelscope', '/var/log/tunnelscope', '/run/tunnelscope'];

/** The drop-in of one instance; undefined when the template is enough. */
export function formatDropIn({ entersNamespace, writes, group }: UnitNeeds): string | undefined {
  const others = [...new Set(writes)].filter(
    (path) => !WRITABLE.some((each) => `${path}/`.startsWith(`${each}/`)),
  );
  const lines = [
    ...(entersNamespace
      ? [
          '# Entering a network namespace (the key "namespace") is CAP_SYS_ADMIN\'s.',
          'CapabilityBoundingSet=CAP_SYS_ADMIN',
          'RestrictNamespaces=net',
        ]
      : []),
    ...others.map((path) => `ReadWritePaths=${quote(path)}`),
    // To give a file to a group without CAP_CHOWN its owner must be a member.
    ...(group === undefined ? [] : [`SupplementaryGroups=${group}`]),
  ];
  if (lines.length === 0) return undefined;
  return `# Written by "tunnelscope install-service" from the configuration; run it again when that has changed
[Service]
${lines.join('\n')}
`;
}

/** Homes are hidden, unless the program itself lies in one. */
function protectHome(program: string): 'yes' | 'read-only' {
  return /^\/(home|root|run\/user)\//.test(program) ? 'read-only' : 'yes';
}

/** systemd.syntax(7): in double quotes, where a backslash and a percent sign are doubled. */
function quote(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}
