import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { OmsError } from '../domain/errors.ts';
import { exists } from './tools.ts';

const run = promisify(execFile);

interface User {
  uid: number;
  gid: number;
}

/** How PostgreSQL's programs are run: it refuses to run as root. */
export interface Runner {
  /** The whole command line for a program of PostgreSQL. */
  commandLine(program: string, args: string[]): { file: string; args: string[]; user?: User };
  /** Hands files to the user it runs as. */
  own(...files: string[]): Promise<void>;
}

/**
 * For an ordinary user: as that user. For root: as the owner of the data, else `postgres`, else `nobody`.
 * @throws OmsError OMS_LOCAL_STATE_UNUSABLE when that user cannot get to the data or the programs
 */
export async function postgresRunner(dir: string, dataDir: string, program: string): Promise<Runner> {
  const user = process.getuid?.() === 0 ? await serverUser(dataDir) : undefined;
  const runners = user ? [asUser(user), asCapableUser(user)] : [asOurselves];
  for (const runner of runners) if (await reaches(runner, dir, program)) return runner;
  throw new OmsError(
    'OMS_LOCAL_STATE_UNUSABLE',
    `PostgreSQL cannot be run on ${dir}${user ? `: it does not run as root, and user ${user.uid} cannot get there` : ''}. ` +
      'Start as an ordinary user, or keep the project where everyone may read, or set DATABASE_URL to a running PostgreSQL.',
  );
}

async function serverUser(dataDir: string): Promise<User | undefined> {
  const owner = (await exists(dataDir)) ? await stat(dataDir) : undefined;
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await userNamed('postgres')) ?? (await userNamed('nobody'));
}

async function userNamed(name: string): Promise<User | undefined> {
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, name])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return undefined;
  }
}

const asOurselves: Runner = {
  commandLine: (program, args) => ({ file: program, args }),
  own: () => Promise.resolve(),
};

const ownedBy =
  ({ uid, gid }: User) =>
  async (...files: string[]): Promise<void> =>
    void (await Promise.all(files.map((file) => chown(file, uid, gid))));

const asUser = (user: User): Runner => ({
  commandLine: (program, args) => ({ file: program, args, user }),
  own: ownedBy(user),
});

/** The project may lie in a folder that is root's alone: the user is then allowed to pass through, by util-linux. */
const asCapableUser = (user: User): Runner => {
  const passing = ['inh', 'ambient'].map((kind) => `--${kind}-caps=+dac_override,+dac_read_search`);
  const wrapping = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...passing];
  return {
    commandLine: (program, args) => ({ file: 'setpriv', args: [...wrapping, program, ...args] }),
    own: ownedBy(user),
  };
};

async function reaches(runner: Runner, dir: string, program: string): Promise<boolean> {
  const { file, args, user } = runner.commandLine('sh', ['-c', 'cd "$1" && "$2" --version', 'sh', dir, program]);
  return run(file, args, user).then(
    () => true,
    () => false,
  );
}
