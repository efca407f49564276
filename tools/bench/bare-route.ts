/** A fastify with nothing around it, as its own process: what a route of the API is held against. Prints where it answers. */
import Fastify from 'fastify';

const app = Fastify();
app.get('/', async () => ({ status: 'pending' }));
app.post('/', async (request, reply) => reply.code(201).send(request.body));
process.stdout.write(await app.listen({ host: '127.0.0.1', port: 0 }));
process.once('SIGTERM', () => void app.close());
