using System.Reflection;

using DataHub.Catalog;
using DataHub.Feeds;

namespace DataHub.Cluster;

/// <summary>Which calls a front-end repeats by itself.</summary>
public sealed class RepeatableTests
{
    public static TheoryData<string, string> Methods
    {
        get
        {
            var methods = new TheoryData<string, string>();
            foreach (var method in Grains().SelectMany(grain => grain.GetMethods())) methods.Add(method.DeclaringType!.Name, method.Name);
            return methods;
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Every_method_of_a_grain_says_whether_it_may_be_repeated(string grain, string method)
    {
        var found = Grains().Single(type => type.Name == grain).GetMethod(method)!;
        var may = found.GetCustomAttribute<RepeatableAttribute>();
        Assert.True(may is not null ^ found.GetCustomAttribute<NotRepeatableAttribute>() is not null, $"{grain}.{method} must be either Repeatable or NotRepeatable");
        // The front-end's repeats rely on both.
        Assert.True(found.ReturnType.IsAssignableTo(typeof(Task)), $"{grain}.{method} returns no Task");
        if (may is not null) Assert.DoesNotContain(found.GetParameters(), parameter => parameter.ParameterType == typeof(CancellationToken));
        if (may is { IfArgumentSays: true }) Assert.Contains(found.GetParameters(), parameter => parameter.ParameterType.IsAssignableTo(typeof(IRepeatable)));
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData("k", false, true)]
    [InlineData(null, true, true)]
    public void A_push_may_be_repeated_with_a_key_and_where_nothing_is_stored(string? key, bool dryRun, bool may) =>
        Assert.Equal(may, new PushPart("d", "d/0", "default", "r", key, [], 0, 1, 1, 0, null!, []) { DryRun = dryRun }.MayBeRepeated);

    private static IEnumerable<Type> Grains() =>
        typeof(IAgencyGrain).Assembly.GetTypes().Where(type => type.IsInterface && type.IsAssignableTo(typeof(IGrain)));
}
