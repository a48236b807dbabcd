namespace DataHub.Indicators;

/// <summary>One thing that a formula's value is made of.</summary>
/// <param name="Input">In <see cref="Formula.Ids"/>.</param>
/// <param name="Scope">Whose values of it.</param>
/// <param name="Back">So many windows before the value's own.</param>
internal readonly record struct FormulaRead(int Input, FormulaValues.Scope Scope, int Back)
{
    /// <summary>All of them, each once. Pure.</summary>
    public static FormulaRead[] Of(Formula formula)
    {
        var reads = new HashSet<FormulaRead>();
        var seen = new Dictionary<Formula.Part, HashSet<(FormulaValues.Scope, int)>>(ReferenceEqualityComparer.Instance);
        Look(formula.Root, FormulaValues.Scope.Asked, 0);
        return [.. reads.OrderBy(read => read.Input).ThenBy(read => read.Scope).ThenBy(read => read.Back)];

        void Look(Formula.Part part, FormulaValues.Scope scope, int back)
        {
            if (!seen.TryGetValue(part, out var ways)) seen[part] = ways = [];
            if (!ways.Add((scope, back))) return;
            switch (part)
            {
                case Formula.Input input:
                    reads.Add(new(input.Index, scope, back));
                    break;
                case Formula.Minus minus:
                    Look(minus.Of, scope, back);
                    break;
                case Formula.Abs abs:
                    Look(abs.Of, scope, back);
                    break;
                case Formula.Round round:
                    Look(round.Of, scope, back);
                    break;
                case Formula.Operation operation:
                    Look(operation.Left, scope, back);
                    Look(operation.Right, scope, back);
                    break;
                case Formula.Extreme extreme:
                    foreach (var of in extreme.Of) Look(of, scope, back);
                    break;
                case Formula.Share share:
                    Look(share.Of, scope, back);
                    Look(share.Of, FormulaValues.Scope.Whole, back);
                    break;
                case Formula.Previous previous:
                    Look(previous.Of, scope, back + 1);
                    break;
                case Formula.Change change:
                    Look(change.Of, scope, back);
                    Look(change.Of, scope, back + 1);
                    break;
                case Formula.Rank rank:
                    Look(rank.Of, scope, back);
                    Look(rank.Of, FormulaValues.Scope.Level, back);
                    break;
                case Formula.Number or Formula.Population:
                    break;
                default:
                    throw new InvalidOperationException($"{part} reads nothing known");
            }
        }
    }
}
