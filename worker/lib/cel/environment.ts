/** What expressions may mention: functions, variables, and the types of objects with their fields. */
import type { Estimator } from "./estimate.ts";
import { parseType, splitTypes, type Type } from "./types.ts";

/**
 * One signature of a function. `id` is cel-go's, which costs are told apart by. Functions without `run` are part of the
 * evaluator.
 */
export type Overload = {
  readonly id: string;
  readonly isMember: boolean;
  /** With the receiver, where there is one. */
  readonly params: readonly Type[];
  readonly result: Type;
  readonly isGeneric: boolean;
  readonly run?: Run;
  /** The receiver is the first argument. Undefined: as cel-go counts. */
  readonly estimate?: Estimator;
  readonly cost?: (args: readonly unknown[], result: unknown) => number;
};

// biome-ignore lint/suspicious/noExplicitAny: types are checked before the call
export type Run = (...args: any[]) => unknown;

export type Declared = { readonly name: string; readonly overloads: readonly Overload[] };

export type Costs = Pick<Overload, "estimate" | "cost">;

/** Functions as libraries declare them. */
export class Library {
  readonly functions = new Map<string, { name: string; overloads: Overload[] }>();

  /**
   * `name(string, int): bool`; one called on a receiver is `string::name(int): bool`.
   */
  add(signature: string, id: string, run?: Run, costs: Costs = {}): this {
    const [, receiver, name = "", given = "", result = "dyn"] =
      /^(?:([\w.()@, ]+?)::)?([^(]+)\((.*)\): (.*)$/.exec(signature) ?? [];
    const params = [...(receiver ? [receiver] : []), ...splitTypes(given)].map(parseType);
    const overload: Overload = {
      id,
      isMember: receiver !== undefined,
      params,
      result: parseType(result),
      isGeneric: [...params, parseType(result)].some(mentionsParameter),
      ...(run && { run }),
      ...costs,
    };
    const known = this.functions.get(name);
    if (known) known.overloads.push(overload);
    else this.functions.set(name, { name, overloads: [overload] });
    return this;
  }
}

const mentionsParameter = ({ kind, params }: Type): boolean => kind === "param" || params.some(mentionsParameter);

/** Fields of a type of objects, or undefined where there is no such type or field. */
export type FieldTypes = {
  hasType(name: string): boolean;
  field(type: string, field: string): Type | undefined;
};

const NO_TYPES: FieldTypes = { hasType: () => false, field: () => undefined };

/** What one kind of expressions may mention. Immutable. */
export class Environment {
  readonly libraries: readonly Library[];
  readonly variables: ReadonlyMap<string, Type>;
  readonly types: FieldTypes;

  constructor(
    libraries: readonly Library[],
    variables: ReadonlyMap<string, Type> = new Map(),
    types: FieldTypes = NO_TYPES,
  ) {
    this.libraries = libraries;
    this.variables = variables;
    this.types = types;
  }

  with(variables: Readonly<Record<string, Type>>, types: FieldTypes = this.types): Environment {
    return new Environment(this.libraries, new Map([...this.variables, ...Object.entries(variables)]), types);
  }

  withLibrary(library: Library): Environment {
    return new Environment([...this.libraries, library], this.variables, this.types);
  }

  find(name: string): Declared | undefined {
    const found = this.libraries.flatMap(({ functions }) => functions.get(name) ?? []);
    return found.length < 2 ? found[0] : { name, overloads: found.flatMap(({ overloads }) => overloads) };
  }
}
