/** The document's questionnaire (section 7), in its language. Options stand in the order of their letters, A to J. */

export interface Question {
  readonly text: string;
  readonly options: readonly string[];
  /** The letter of the right option. */
  readonly answer: string;
  readonly explanation: string;
}

export const questions: readonly Question[] = [
  {
    text: "Quel est le rôle principal de l'hyperviseur KVM ?",
    options: [
      'Compiler du code C', "Gérer l'exécution des machines virtuelles en utilisant les extensions hardware", 'Émuler complètement un processeur x86',
      'Remplacer le noyau Linux', 'Gérer uniquement la mémoire', 'Servir de firewall', 'Compresser les fichiers', 'Gérer les connexions réseau',
      'Afficher des graphiques', 'Jouer de la musique',
    ],
    answer: 'B',
    explanation: "KVM est un module noyau qui utilise VT-x ou AMD-V pour virtualiser le CPU et la mémoire : les VMs s'exécutent presque à vitesse native.",
  },
  {
    text: 'Quelle est la différence entre un hyperviseur Type 1 et Type 2 ?',
    options: [
      'Type 1 est plus lent', "Type 2 s'exécute directement sur le hardware, Type 1 sur un OS", "Type 1 s'exécute directement sur le hardware, Type 2 sur un OS host",
      "Il n'y a pas de différence", 'Type 1 ne supporte pas la virtualisation hardware', 'Type 2 est réservé aux serveurs', 'Type 1 est pour Windows uniquement',
      'Type 2 ne peut pas utiliser KVM', 'Type 1 est obsolète', 'Type 2 est plus sécurisé par définition',
    ],
    answer: 'C',
    explanation: "Type 1 (ESXi, Hyper-V) s'exécute directement sur le hardware, Type 2 (VirtualBox) sur un OS host. KVM est hybride : Linux devient lui-même l'hyperviseur.",
  },
  {
    text: 'Que signifie EPT dans le contexte de la virtualisation Intel ?',
    options: [
      'Extended Process Tables', 'Extended Page Tables', 'Encrypted Page Transfer', 'External Processor Technology', 'Emulated Page Translation',
      'Enhanced Protocol Transfer', 'Expanded Permission Tables', 'Execution Protection Technology', 'Extended Permission Tracking', 'Efficient Page Tracking',
    ],
    answer: 'B',
    explanation: 'Les Extended Page Tables traduisent en hardware les adresses guest en adresses host : plus besoin de shadow page tables coûteuses.',
  },
  {
    text: "Qu'est-ce qu'un VM-exit ?",
    options: [
      'Quand une VM est détruite', "Quand l'utilisateur quitte la VM", "Une transition du mode guest vers l'hyperviseur déclenchée par une instruction sensible",
      'Un bug dans le code de la VM', 'La fermeture de QEMU', "Un signal d'arrêt du système", 'Une erreur de mémoire', 'Un timeout du CPU',
      'Une déconnexion réseau', 'Un crash du kernel',
    ],
    answer: 'C',
    explanation: "Le CPU détecte une instruction sensible (I/O, HLT, CPUID...) et rend le contrôle à l'hyperviseur.",
  },
  {
    text: "Quel est le rôle de QEMU dans l'architecture KVM/QEMU ?",
    options: [
      'Gérer le CPU virtuel', "Émuler les périphériques et servir d'interface utilisateur", 'Remplacer le noyau Linux', 'Compiler le code de la VM',
      'Gérer la mémoire physique', 'Crypter les communications', 'Compresser les disques virtuels', 'Gérer les utilisateurs', 'Servir de bootloader',
      'Gérer le réseau physique uniquement',
    ],
    answer: 'B',
    explanation: "QEMU émule les périphériques (disque, réseau, USB, VGA...) que le hardware ne virtualise pas. C'est le Bernard de l'analogie.",
  },
  {
    text: 'Que contient la structure VMCS ?',
    options: [
      'Uniquement le code de la VM', "L'état complet de la VM et de l'hyperviseur, plus les contrôles d'exécution", 'Seulement les registres de la VM',
      'Le disque dur de la VM', 'Les connexions réseau', 'Les fichiers de log', 'Les credentials utilisateur', 'Le BIOS de la VM',
      'Les drivers de périphériques', 'Le code source de QEMU',
    ],
    answer: 'B',
    explanation: "La VMCS contient l'état du guest, l'état du host, les contrôles d'exécution (EPT, interruptions) et les informations de VM-exit.",
  },
  {
    text: 'Pourquoi faut-il vérifier le retour de calloc() dans ford_creates_host() ?',
    options: [
      "C'est optionnel", "Pour éviter un segfault si l'allocation échoue", "Pour mesurer le temps d'exécution", 'Pour compter les allocations', 'Pour debugger',
      'Pour afficher un message', "Ce n'est jamais nécessaire en C17", 'Seulement en mode debug', 'Pour compatibilité Windows', 'Pour le style uniquement',
    ],
    answer: 'B',
    explanation: 'calloc() retourne NULL quand la mémoire manque, et déréférencer NULL cause un segfault. Avec des milliers de VMs, cela arrive.',
  },
  {
    text: "Dans l'analogie Westworld, que représente un VM-exit ?",
    options: [
      "La mort d'un hôte", "Quand Ford dit « Freeze all motor functions » et l'hôte se fige", 'Quand un guest arrive dans le parc', "La création d'un nouvel hôte",
      'Une mise à jour du firmware', 'Un changement de scénario', "La fin d'une journée", "L'arrivée de nouveaux souvenirs", 'La destruction du parc',
      "Un bug dans le code de l'hôte",
    ],
    answer: 'B',
    explanation: "Comme l'hôte devant Ford, la VM se fige instantanément ; l'hyperviseur peut l'examiner et la contrôler.",
  },
  {
    text: "Pourquoi doit-on libérer les ressources dans l'ordre INVERSE de leur allocation ?",
    options: [
      "C'est juste une convention sans importance", "Pour éviter d'utiliser des ressources déjà libérées (use-after-free)", 'Pour la performance uniquement',
      "Ce n'est pas nécessaire", 'Pour le style de code', 'Seulement sous Windows', 'Pour compatibilité avec C89', 'Pour le debugger', 'Pour les logs',
      'Pour la documentation',
    ],
    answer: 'B',
    explanation: "Ce qui a été alloué en dernier dépend souvent de ce qui l'a été avant : dans l'ordre inverse, on ne touche jamais à une ressource déjà libérée.",
  },
  {
    text: "Que se passe-t-il si on oublie d'incrémenter RIP après avoir émulé une instruction ?",
    options: [
      'Rien de spécial', "La VM exécute l'instruction suivante", 'La VM ré-exécute la même instruction indéfiniment (boucle infinie)', "La VM s'arrête proprement",
      "Un message d'erreur s'affiche", 'Le système reboot', 'QEMU crash', 'Le kernel panic', 'Les fichiers sont corrompus', 'La mémoire est libérée automatiquement',
    ],
    answer: 'C',
    explanation: "RIP indique la prochaine instruction. S'il n'avance pas, la prochaine est toujours la même.",
  },
];

/** `passing_score` of the document's spec.json, in per cent. */
export const PASSING_PERCENT = 70;
const LETTERS = 'ABCDEFGHIJ';

export interface Marks {
  /** 0 to 100. */
  readonly percent: number;
  readonly passed: boolean;
  /** For each question, whether its letter was right. */
  readonly right: readonly boolean[];
}

/** The letter of option `at`, from 0. */
export function letterOf(at: number): string {
  return LETTERS[at] ?? '';
}

/**
 * Marks a row of letters: `BCBCBBBBBC`. Small letters, spaces and commas are free.
 * @throws RangeError when it has not one letter of A to J for each question
 */
export function mark(answers: string): Marks {
  const letters = [...answers.toUpperCase().replaceAll(/[\s,]/g, '')];
  if (letters.length !== questions.length || letters.some((letter) => !LETTERS.includes(letter))) {
    throw new RangeError(`${questions.length} letters of A to J are expected, as in ${'BC'.repeat(questions.length / 2)}`);
  }
  const right = questions.map(({ answer }, at) => letters[at] === answer);
  const percent = (right.filter((one) => one).length * 100) / questions.length;
  return { percent, passed: percent >= PASSING_PERCENT, right };
}
