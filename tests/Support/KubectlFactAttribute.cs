namespace DataHub.Support;

/// <summary>A test that needs <c>kubectl</c>, which renders manifests without any cluster: skipped without it, but not in CI (<c>CI=true</c>), where it must be there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KubectlFactAttribute : FactAttribute
{
    public KubectlFactAttribute()
    {
        if (Kubectl is null && Environment.GetEnvironmentVariable("CI") != "true") Skip = "kubectl is not installed";
    }

    /// <summary>Path of the program; null where there is none.</summary>
    public static string? Kubectl { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin").Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);
}
