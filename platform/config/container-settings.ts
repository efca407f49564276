/** One variable of docker-compose.yml: its default there, and the sentence .env.example prints for it. */
interface ContainerSetting {
  default: string;
  about: string;
}

/**
 * What docker-compose.yml takes from the environment or `.env` besides the ports among SETTINGS. No process of ours reads
 * these; a test holds them and the file to each other.
 */
export const CONTAINER_SETTINGS: Readonly<Record<string, ContainerSetting>> = {
  COMPOSE_PROJECT_NAME: { default: 'oms', about: 'Put before the names of containers, volumes and the network.' },
  ENV_FILE: { default: '.env', about: "A file with the roles' settings." },
  OMS_IMAGE: { default: 'oms:local', about: "The roles' image; built from the Dockerfile when it is not there." },
  OMS_VERSION: { default: 'dev', about: 'Version that is written on a built image.' },
  OMS_REVISION: { default: 'unknown', about: 'Commit that is written on a built image.' },
  PUBLISH_ADDRESS: { default: '127.0.0.1', about: 'Address of this machine that all ports are published on.' },
  PUBLISHED_HOST: { default: '127.0.0.1', about: 'Name or address by which programs outside reach this machine.' },
  POSTGRES_USER: { default: 'oms', about: 'Account the database is made with, once.' },
  POSTGRES_PASSWORD: {
    default: 'oms',
    about: 'Its password; letters, digits and `-._~` only, for it stands in a URL, too.',
  },
  POSTGRES_DB: { default: 'oms', about: 'Name of the database.' },
  KAFKA_IMAGE: { default: 'apache/kafka:4.1.0', about: 'Kafka.' },
  REGISTRY_IMAGE: { default: 'apicurio/apicurio-registry:3.0.9', about: 'Schema registry.' },
  TEMPORAL_IMAGE: { default: 'temporalio/temporal:1.5.1', about: 'Temporal.' },
  POSTGRES_IMAGE: { default: 'postgres:17', about: 'PostgreSQL.' },
  KAFKA_UI_IMAGE: { default: 'kafbat/kafka-ui:v1.5.0', about: "Kafka's web UI (profile `tools`)." },
  KAFKA_UI_PORT: { default: '8080', about: "Port of Kafka's web UI." },
  KAFKA_HEAP_OPTS: { default: '-Xms256M -Xmx768M', about: "Memory of Kafka's JVM." },
  REGISTRY_JAVA_OPTS: {
    default: '-Xms64m -Xmx384m -XX:TieredStopAtLevel=1',
    about: "Options of the registry's JVM: memory, and a quick start.",
  },
  DEMO_ORDERS_PER_SECOND: {
    default: '2',
    about: 'How fast the demo plays its orders (profile `demo`); 0 = all at once.',
  },
};
